"""What happened to a cascade in a tick: it opened, it changed, it is over. Each tells all there is to tell of it."""

from dataclasses import dataclass, field
from typing import Literal

from argus_common.levels import Level

Kind = Literal["propagating", "common_cause"]
"""Propagating: one server after the other. Common cause: everything at once, a deployment, the network, a clock."""
Expectation = Literal["expected", "confirmed", "withdrawn"]
Ending = Literal["recovered", "merged", "lost"]
"""Recovered: its members are well again. Merged: it went up in another. Lost: its members are not heard of any more."""


@dataclass(frozen=True, slots=True)
class Member:
    """A server of the cascade.

    ``onset``: step in which its trouble began. ``joined``: step of the tick that took it in. ``target``: the metric
    that is the furthest out; ``strength``: how far beyond the band, ≥ 0, in sigmas; ``observed``: its value now, None =
    not seen. ``silent``: it has stopped reporting. ``recovered``: it is well again.
    """

    server: str
    profile: str
    onset: int
    joined: int
    target: str
    strength: float
    observed: float | None
    silent: bool = False
    recovered: bool = False


@dataclass(frozen=True, slots=True)
class Origin:
    """Where it may have begun, how likely (0 … 1), and why, each reason in plain words."""

    server: str
    probability: float
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Follower:
    """A server that will be drawn in, how likely (0 … 1); ``seconds``: P10, P50, P90 until then, from the tick.
    ``reason``: whom it follows and how that is known, in plain words.
    """

    server: str
    probability: float
    seconds: tuple[float, float, float]
    state: Expectation = "expected"
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One event of a cascade's life.

    ``cascade``: its id, the same from its opening to its end, and no other cascade's ever; ``fingerprint``: the same in
    16 hexadecimal digits. ``sequence``: 0 at the opening, one more at each change. ``step``: of the tick; ``opened``:
    of the tick that opened it. ``score``: severity, 0 … 100; ``severity``: its level, never healthy before the end.
    ``members``: all that ever belonged to it, in the order of their onsets. ``origins``: the likeliest first.
    ``silenced``: somebody works there, it is only told for the record. ``reason``: what happened and why it is told.
    ``look_first``: what a person should look at first. ``peak_members``: most unwell members at one time.
    """

    cascade: str
    fingerprint: str
    sequence: int
    fleet: str
    step_seconds: int
    step: int
    opened: int
    kind: Kind
    severity: Level
    score: float
    members: tuple[Member, ...]
    origins: tuple[Origin, ...]
    followers: tuple[Follower, ...]
    peak_members: int
    reason: str
    look_first: str
    silenced: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened(Change):
    """A cascade began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Updated(Change):
    """A member joined or recovered, the origin, the followers or the severity changed."""


@dataclass(frozen=True, slots=True)
class FollowerScore:
    """What came of the followers that were foretold: so many joined, so many did not."""

    confirmed: int = 0
    withdrawn: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved(Change):
    """A cascade is over. ``merged_into``: the id of the one that it went up in, None = it did not."""

    outcome: Ending
    duration_seconds: int
    merged_into: str | None = None
    followers_score: FollowerScore = field(default_factory=FollowerScore)


Changed = Opened | Updated | Resolved
