"""What is known of the servers concerned when their origin is asked for."""

from dataclasses import dataclass

from argus_cascade.domain.tick import Floats


@dataclass(frozen=True, slots=True)
class Evidence:
    """Surprises of some servers over some steps.

    ``surprise``: (step, server, metric) z, positive in the harmful direction, NaN = missing.
    ``since``: the step from which departures count; the steps before it are context.
    ``amount``: (step, server, kind) departures in units that add up along calls (failed requests, seconds of waiting),
    the same for every server; no columns = nothing is known of them. NaN = missing.
    """

    servers: tuple[str, ...]
    surprise: Floats
    since: int
    amount: Floats
