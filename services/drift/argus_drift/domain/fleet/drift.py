"""A drift that is open: who takes part, since when, and what was told of it."""

from collections import Counter
from collections.abc import Iterable
from typing import Literal

import msgspec

from argus_common.events.drift import DriftKind, DriftOutcome, DriftScope
from argus_drift.domain.fleet.findings import Finding

Told = Literal["detected", "updated", "cleared"]


class Member(msgspec.Struct, frozen=True):
    """A server that takes part. ``joined``: step at whose end it did."""

    profile: str
    kind: DriftKind
    target: str
    since: int
    excess: float
    joined: int


class Drift(msgspec.Struct):
    """``key``: what its ids end with: the profile, the server, or ``*`` for the fleet. ``left``: outcome → servers."""

    id: str
    scope: DriftScope
    key: str
    profile: str
    detected: int
    watched: int
    chance: float
    members: dict[str, Member] = {}
    left: dict[DriftOutcome, int] = {}
    affected: int = 0
    sequence: int = 0
    told_step: int = 0
    told: tuple[str, str, str] = ("", "", "")

    def join(self, found: Iterable[Finding], step: int) -> None:
        """These take part."""
        for one in found:
            self.members[one.server] = Member(one.profile, one.kind, one.target, one.since, one.excess, step)
        self.affected = max(self.affected, len(self.members))

    def widen(self, found: list[Finding], step: int) -> None:
        """It is not of one profile alone."""
        self.scope, self.key, self.profile = "fleet", "*", ""
        self.watched += len(found)
        self.join(found, step)

    def leave(self, server: str, outcome: DriftOutcome) -> None:
        """This one does no longer."""
        del self.members[server]
        self.left[outcome] = self.left.get(outcome, 0) + 1

    @property
    def outcome(self) -> DriftOutcome:
        """What became of most."""
        return max(self.left, key=lambda outcome: (self.left[outcome], outcome))

    @property
    def kind(self) -> DriftKind:
        """What most of them show."""
        return Counter(one.kind for one in self.members.values()).most_common(1)[0][0]

    @property
    def targets(self) -> list[str]:
        """What changed, the most frequent first."""
        return [name for name, _ in Counter(one.target for one in self.members.values()).most_common()]

    @property
    def since(self) -> int:
        """The middle of the beginnings."""
        begun = sorted(one.since for one in self.members.values())
        return begun[len(begun) // 2]
