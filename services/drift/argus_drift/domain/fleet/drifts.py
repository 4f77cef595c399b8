"""The drifts of a fleet: which findings are one, when there is something to tell, and when each is over."""

from collections.abc import Callable, Iterable, Mapping

import msgspec

from argus_common.events.drift import DriftOutcome, DriftScope
from argus_drift.domain.fleet import scope
from argus_drift.domain.fleet.drift import Drift
from argus_drift.domain.fleet.findings import Finding

UPDATE_HOURS = 6
"""A drift lasts for days; that more servers take part is told so often at most."""

Leaves = Callable[[str, str, int], DriftOutcome | None]
"""(server, kind, step at which it joined) → why it takes no longer part, None = it does."""


class Drifts(msgspec.Struct):
    """``waiting``: (step, finding) of servers that may turn out to be some of many.

    ``findings``, ``hours``: as in `scope.Usual`.
    """

    prefix: str
    hour_steps: int
    open: list[Drift] = []
    waiting: list[tuple[int, Finding]] = []
    findings: float = 0.0
    hours: float = 0.0

    def members(self) -> set[str]:
        """Servers that take part in a drift, or may."""
        return {server for drift in self.open for server in drift.members} | {one.server for _, one in self.waiting}

    def take(self, found: Iterable[Finding], watched: Mapping[str, int], step: int) -> list[Drift]:
        """Take the findings of an hour in; the drifts that begin with it.

        Args:
            found: of servers that were no members.
            watched: profile → servers that are watched.
            step: the last of the hour.
        """
        self.hours += sum(watched.values())
        for one in found:
            home = next((drift for drift in self.open if drift.key in ("*", one.profile)), None)
            if home is None:
                self.waiting.append((step, one))
            else:
                home.join([one], step)
        return self._many(watched, step) + self._alone(step)

    def over(self, leaves: Leaves) -> list[Drift]:
        """The drifts in which nobody takes part any longer; their last members are kept for what is told of them."""
        ended = list[Drift]()
        for drift in self.open:
            gone = {
                server: why for server, one in drift.members.items() if (why := leaves(server, one.kind, one.joined))
            }
            if len(gone) == len(drift.members):
                for why in gone.values():
                    drift.left[why] = drift.left.get(why, 0) + 1
                ended.append(drift)
            else:
                for server, why in gone.items():
                    drift.leave(server, why)
        self.open = [drift for drift in self.open if drift not in ended]
        return ended

    def _many(self, watched: Mapping[str, int], step: int) -> list[Drift]:
        """Profiles, or the fleet, of which more servers wait than chance brings."""
        by_profile: dict[str, list[Finding]] = {}
        for _, one in self.waiting:
            by_profile.setdefault(one.profile, []).append(one)
        rate = scope.Usual(self.findings, self.hours).rate
        sizes = {profile: watched.get(profile, 0) + self._away(profile) for profile in by_profile}
        drifting = {p: found for p, found in by_profile.items() if scope.is_drift(len(found), sizes[p], rate)}
        if not drifting:
            return []
        taken = {one.server for found in drifting.values() for one in found}
        self.waiting = [pair for pair in self.waiting if pair[1].server not in taken]
        if (before := self._lately(step)) is not None:
            before.widen([one for part in drifting.values() for one in part], step)
            return []
        if len(drifting) > 1:
            everybody = sum(watched.values()) + sum(self._away(profile) for profile in by_profile) + len(taken)
            found = [one for part in drifting.values() for one in part]
            return [self._begin("fleet", "*", "", found, everybody, rate, step)]
        return [self._begin("profile", p, p, found, sizes[p], rate, step) for p, found in drifting.items()]

    def clarify(self, alarmed: Iterable[Finding], step: int) -> None:
        """Say of members whose forecasts were the first to suffer how their behaviour has changed."""
        found = {one.server: one for one in alarmed}
        for drift in self.open:
            drift.join([found[server] for server in drift.members if server in found], step)

    def _lately(self, step: int) -> Drift | None:
        """A drift of many that began within a span: what follows in other profiles has the same cause."""
        span = scope.SPAN_HOURS * self.hour_steps
        return next((one for one in self.open if one.scope != "server" and step - one.detected < span), None)

    def _away(self, profile: str) -> int:
        """Servers of a profile that are not watched because they have drifted a moment ago."""
        return sum(one.profile == profile for _, one in self.waiting)

    def _alone(self, step: int) -> list[Drift]:
        """Servers that have waited for long enough: their drift is their own."""
        due = [one for found, one in self.waiting if step - found >= scope.SPAN_HOURS * self.hour_steps]
        self.waiting = [pair for pair in self.waiting if step - pair[0] < scope.SPAN_HOURS * self.hour_steps]
        self.findings += len(due)
        rate = scope.Usual(self.findings, self.hours).rate
        return [self._begin("server", f"server/{one.server}", one.profile, [one], 1, rate, step) for one in due]

    def _begin(
        self, what: DriftScope, key: str, profile: str, found: list[Finding], watched: int, rate: float, step: int
    ) -> Drift:
        name = f"{self.prefix}/{step}/{key}"
        drift = Drift(name, what, key, profile, step, watched, scope.chance(len(found), watched, rate))
        drift.members, drift.left = {}, {}
        drift.join(found, step)
        self.open.append(drift)
        return drift


def is_news(drift: Drift, severity: str, answer: str, step: int, hour_steps: int) -> bool:
    """Whether there is something new to tell, and it was not told of a moment ago."""
    said = (f"{drift.scope} {drift.affected}", severity, answer)
    return said != drift.told and step - drift.told_step >= UPDATE_HOURS * hour_steps
