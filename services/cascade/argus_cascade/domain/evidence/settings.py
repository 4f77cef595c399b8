"""What can be chosen about evidence, each with a meaning."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EvidenceSettings:
    """How much evidence makes a server abnormal, and how long what is usual is remembered.

    ``false_alarms_per_server_day``: how often a healthy server may be called abnormal.
    ``false_discovery_rate``: largest share of the abnormal servers of a step that may be healthy, where many are.
    ``memories``: steps over which surprises are averaged, side by side: 1 sees what is sudden, more what is slow.
    ``null_steps``: steps that what is usual is learned from; older ones fade.
    ``prior_steps``: steps of its own after which a server's usual counts as much as the fleet's.
    ``release``: an abnormal server is so until its evidence (log10) falls below this share of the limit.
    ``largest``: surprises beyond are cut to it, in sigmas, so that one glitch cannot outweigh an hour.
    ``forget_steps``: a server that has not been heard of for so long is forgotten.
    """

    false_alarms_per_server_day: float = 0.05
    false_discovery_rate: float = 0.05
    memories: tuple[int, ...] = (1, 4, 16)
    null_steps: int = 1000
    prior_steps: int = 50
    release: float = 0.5
    largest: float = 8.0
    forget_steps: int = 2016
