"""A detector that any reader can foresee, and cascade as a process with it: two servers at risk are a cascade.

``python cascade_fake.py`` serves with it, settings from the environment.
"""

import json
import sys
from asyncio import Event
from collections.abc import Callable
from dataclasses import dataclass, field

from argus_cascade.app import Configuration, serve
from argus_cascade.domain.followers import Forecasts
from argus_cascade.domain.life.change import Change, Changed, Member, Opened, Origin, Resolved, Updated
from argus_cascade.domain.tick import FleetTick
from argus_cascade.settings import CascadeSettings
from argus_common.levels import Level, level_of
from argus_common.runtime import run
from argus_common.settings import KafkaSettings, OpsSettings, RedisSettings, load

AT_RISK = 50.0
FORETOLD = Forecasts(confirmed=3, withdrawn=1, squared=0.5)


@dataclass(frozen=True)
class FakeReport:
    """What a tick has brought."""

    changes: tuple[Changed, ...]
    health: float
    share_abnormal: float
    risk: float
    forecasts: Forecasts = FORETOLD


@dataclass
class FakeDetector:
    """Opens a cascade of the servers at risk, tells every change of them, resolves it once none is."""

    opened: int = -1
    sequence: int = -1
    joined: dict[str, int] = field(default_factory=dict)
    unwell: list[str] = field(default_factory=list)
    silenced: bool = False
    ticks: int = 0

    def tick(self, tick: FleetTick, maintenance: Callable[[str, int], bool]) -> FakeReport:
        """See `CascadeDetector.tick`."""
        self.ticks += 1
        unwell = [server for server, risk in zip(tick.servers, tick.risk, strict=True) if risk >= AT_RISK]
        silenced = bool(unwell) and all(maintenance(server, tick.step) for server in unwell)
        changes = self._changes(tick, unwell, float(tick.risk.max()), silenced)
        share = len(unwell) / len(tick.servers)
        return FakeReport(changes, 100 * (1 - share), share, share)

    def _changes(self, tick: FleetTick, unwell: list[str], worst: float, silenced: bool) -> tuple[Changed, ...]:
        is_open = self.sequence >= 0
        if (not is_open and len(unwell) < 2) or (is_open and (unwell, silenced) == (self.unwell, self.silenced)):
            return ()
        if not is_open:
            self.opened = tick.step
        self.sequence, self.unwell, self.silenced = self.sequence + 1, unwell, silenced
        self.joined |= {server: tick.step for server in unwell if server not in self.joined}
        common = self._common(tick, worst)
        if unwell:
            return ((Updated if is_open else Opened)(**common),)  # type: ignore[arg-type]
        seconds = (tick.step - self.opened) * tick.step_seconds
        self.sequence, self.joined = -1, {}
        return (Resolved(**common, outcome="recovered", duration_seconds=seconds),)  # type: ignore[arg-type]

    def _common(self, tick: FleetTick, worst: float) -> dict[str, object]:
        members = tuple(
            Member(server, "generic", at, at, tick.targets[0], 5.0, None, recovered=server not in self.unwell)
            for server, at in self.joined.items()
        )
        level = level_of(worst) if self.unwell else Level.HEALTHY
        change = Change(
            cascade=f"{tick.fleet}/{tick.step_seconds}/{self.opened}",
            fingerprint=f"{self.opened:016x}",
            sequence=self.sequence,
            fleet=tick.fleet,
            step_seconds=tick.step_seconds,
            step=tick.step,
            opened=self.opened,
            kind="propagating",
            severity=level,
            score=worst,
            members=members,
            origins=(Origin(members[0].server, 0.8, ("it was the first",)),),
            followers=(),
            peak_members=len(self.joined),
            reason=f"{len(self.unwell)} servers are unwell after {self.ticks} ticks",
            look_first=members[0].server,
            silenced=self.silenced,
        )
        return {name: getattr(change, name) for name in change.__slots__}

    def snapshot(self) -> bytes:
        """See `CascadeDetector.snapshot`."""
        return json.dumps(vars(self)).encode()


@dataclass(frozen=True)
class FakeDetectors:
    """Makes them."""

    def new(self) -> FakeDetector:
        """One that knows nothing yet."""
        return FakeDetector()

    def restore(self, snapshot: bytes) -> FakeDetector:
        """One that goes on."""
        return FakeDetector(**json.loads(snapshot))


async def main(stop: Event) -> None:
    """Serve with the detector of this file."""
    told = Configuration(load(CascadeSettings), load(KafkaSettings), load(RedisSettings), load(OpsSettings))
    await serve(told, stop, lambda _: FakeDetectors())


if __name__ == "__main__":
    sys.exit(run(main))
