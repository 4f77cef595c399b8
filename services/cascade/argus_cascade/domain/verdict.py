"""Which servers of a fleet are abnormal in a step, how sure that is, and by what."""

from dataclasses import dataclass

from argus_cascade.domain.tick import Flags, Floats, Steps


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the evidence says of each server after one step. Rows are the servers known so far, in a lasting order.

    ``score``: (server,) 0 … 1, the same meaning on every server: 1 − the chance of so much evidence in a healthy one.
    ``abnormal``: (server,) with the false discovery rate controlled over the fleet.
    ``onset``: (server,) step since which the evidence has grown, −1 = it has not.
    ``strength``: (server, target) accumulated evidence of each target in the harmful direction, ≥ 0, in sigmas.
    ``surprise``: (server, target) z of this step alone, NaN = nothing was scored.
    ``silent``: (server,) it used to report, and does not any more.
    """

    fleet: str
    step: int
    servers: tuple[str, ...]
    targets: tuple[str, ...]
    score: Floats
    abnormal: Flags
    onset: Steps
    strength: Floats
    surprise: Floats
    silent: Flags
