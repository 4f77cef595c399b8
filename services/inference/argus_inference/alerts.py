"""The life of alerts: state and events written together, events acknowledged, then forgotten; the caller commits."""

import logging
from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np

from argus_common.clock import Clock
from argus_common.errors import TransientError
from argus_common.events import AlertEvent, Record, encode
from argus_common.retry import Backoff, retry
from argus_common.topics import ALERTS
from argus_forecasting.alarms import AlarmRule
from argus_forecasting.forecaster import Ints, Mask
from argus_inference.alert_metrics import AlertMetrics, Levels
from argus_inference.domain.alert_state import new_rows, stands
from argus_inference.domain.alerts import follow, silence, standing_ids
from argus_inference.domain.encode import SOURCE
from argus_inference.domain.mitigation import Mitigations
from argus_inference.domain.outcome import Outcome
from argus_inference.domain.series import Targets
from argus_inference.ports import AlertStore, KeptAlerts, Publisher

_log = logging.getLogger("argus.inference.alerts")

IDLE_SECONDS = 60.0
"""A partition without windows for so long, wall clock, and read to its end, is judged by the time of its fleets."""
LOOK_SECONDS = 30.0
"""Between two looks at such partitions."""

ResultT = TypeVar("ResultT")
Events = Sequence[Sequence[AlertEvent]]


@dataclass(slots=True)
class AlertService:
    """Follows every server's alerts from window to window.

    What is remembered of a server says up to which step it was decided. A step that is read again is not decided again,
    whatever the forecaster says by now; only its events are sent again, if it is not known that they were acknowledged.
    """

    rule: AlarmRule
    targets: Targets
    levels: tuple[float, ...]
    store: AlertStore
    publisher: Publisher
    mitigations: Mitigations
    metrics: AlertMetrics
    clock: Clock
    backoff: Backoff = field(default_factory=Backoff)
    _newest: dict[tuple[int, str], int] = field(default_factory=dict)
    """(partition, fleet) → end of the newest step seen there, seconds since the epoch."""
    _heard: dict[int, float] = field(default_factory=dict)
    """Our partitions → when windows came last, monotonic."""
    _looked: float = 0.0

    async def follow(self, outcome: Outcome, partitions: Sequence[int]) -> None:
        """Take a group's forecasts in; returns when its events are acknowledged. ``partitions``: (server,).

        Raises:
            TransientError: Redis or Kafka stayed unwell for longer than the retries last.
        """
        step, step_seconds = outcome.windows[0].step, outcome.windows[0].step_seconds
        names = [_name(window.fleet, window.server) for window in outcome.windows]
        kept = await self._retry("read alerts", lambda: self.store.read(names))
        known = (kept.steps >= 0) & (kept.step_seconds == step_seconds)
        fresh = ~known | (kept.steps < step)
        before = np.where(known[:, None, None], kept.rows, new_rows(len(names), len(self.targets.names), self.rule))
        elapsed = np.where(known, np.maximum(step - kept.steps, 1), 0)
        acted = self._acted(outcome, replace(kept, rows=before))
        followed = follow(self.rule, before, elapsed, outcome, self.levels, self.targets, acted)
        events: Events = [found if new else [] for found, new in zip(followed.events, fresh, strict=True)]
        after = KeptAlerts(
            np.where(fresh, step, kept.steps),
            np.where(fresh, step_seconds, kept.step_seconds),
            np.where(fresh[:, None, None], followed.rows, kept.rows),
            _with(kept.unsent, events),
        )
        await self._settle(names, partitions, after, np.flatnonzero(fresh), events)
        self._note(outcome, partitions, followed.levels, fresh)

    async def sweep(self, partitions: Collection[int]) -> None:
        """End the alerts of servers that stayed behind while others of their fleet and partition went on.

        Raises:
            TransientError: as for `follow`.
        """
        await self._sweep(sorted(partitions), self._newest)
        self.metrics.show()

    async def look_at_idle(self, read_to_the_end: Collection[int]) -> None:
        """End the alerts of servers in partitions where nobody sends any more, by the time of their fleets elsewhere.

        Where Redis does not answer it is left for the next look: nothing waits for this, and readiness must be told.

        Raises:
            TransientError: as for `follow`.
        """
        now = self.clock.monotonic()
        if now - self._looked < LOOK_SECONDS:
            return
        self._looked = now
        fleets: dict[str, int] = {}
        for (_, fleet), end in self._newest.items():
            fleets[fleet] = max(end, fleets.get(fleet, 0))
        try:
            times = await self.store.clock(fleets)
        except TransientError as error:
            _log.info("idle partitions are not looked at", extra={"error": str(error)})
            return
        idle = [p for p in sorted(read_to_the_end) if now - self._heard.get(p, now) >= IDLE_SECONDS]
        if idle:
            await self._sweep(idle, {(p, fleet): end for p in idle for fleet, end in times.items()})
            self.metrics.show()

    def retain(self, partitions: Iterable[int]) -> None:
        """These partitions are ours now, and no others."""
        now, ours = self.clock.monotonic(), set(partitions)
        self._heard = {p: self._heard.get(p, now) for p in ours}
        self._newest = {key: end for key, end in self._newest.items() if key[0] in ours}
        self.metrics.retain(ours)

    def _acted(self, outcome: Outcome, kept: KeptAlerts) -> Mask:
        """(server, target) whether someone acts there."""
        acted = np.zeros(outcome.limits.shape, bool)
        if not self.mitigations.any():
            return acted
        window = outcome.windows[0]
        names = [(one.fleet, one.server) for one in outcome.windows]
        for i, t, alert in standing_ids(kept.rows, names, kept.steps, window.step_seconds, self.targets):
            acted[i, t] = self.mitigations.acted_on(alert)
        end_ms = (window.step + 1) * window.step_seconds * 1000
        for i, (fleet, server) in enumerate(names):
            acted[i] |= self.mitigations.worked_on(fleet, server, end_ms)
        return acted

    async def _sweep(self, partitions: Sequence[int], newest: dict[tuple[int, str], int]) -> None:
        if not partitions:
            return
        index = await self._retry("read which alerts stand", lambda: self.store.standing(partitions))
        listed = [(name, p) for p in partitions for name in sorted(index[p])]
        if not listed:
            return
        kept = await self._retry("read alerts", lambda: self.store.read([name for name, _ in listed]))
        ends = (kept.steps + 1) * kept.step_seconds
        silent = [
            i
            for i, (name, p) in enumerate(listed)
            if kept.steps[i] >= 0 and newest.get((p, _split(name)[0]), 0) - ends[i] >= self.rule.silent_seconds
        ]
        for step_seconds in sorted({int(kept.step_seconds[i]) for i in silent}):
            await self._silence([i for i in silent if kept.step_seconds[i] == step_seconds], listed, kept, step_seconds)

    async def _silence(
        self, silent: Sequence[int], listed: Sequence[tuple[str, int]], kept: KeptAlerts, step_seconds: int
    ) -> None:
        names, partitions = [listed[i][0] for i in silent], [listed[i][1] for i in silent]
        people = [_split(name) for name in names]
        rows, events = silence(kept.rows[silent], people, kept.steps[silent], step_seconds, self.targets)
        unsent = _with([kept.unsent[i] for i in silent], events)
        after = KeptAlerts(kept.steps[silent], kept.step_seconds[silent], rows, unsent)
        await self._settle(names, partitions, after, np.arange(len(names)), events)
        for name, partition in zip(names, partitions, strict=True):
            self.metrics.standing(name, partition, ())

    async def _settle(
        self, names: Sequence[str], partitions: Sequence[int], after: KeptAlerts, changed: Ints, events: Events
    ) -> None:
        """State with its events, then the events, then the state without them."""
        await self._write(names, partitions, after, changed.tolist())
        records = [record for unsent in after.unsent for record in unsent]
        if not records:
            return
        await self._retry("publish alerts", lambda: self.publisher.send(ALERTS.name, records))
        told = [i for i, unsent in enumerate(after.unsent) if unsent]
        await self._write(names, partitions, replace(after, unsent=[[] for _ in names]), told)
        self.metrics.told(event for found in events for event in found)

    async def _write(
        self, names: Sequence[str], partitions: Sequence[int], kept: KeptAlerts, which: Sequence[int]
    ) -> None:
        if not which:
            return
        part = KeptAlerts(
            kept.steps[which], kept.step_seconds[which], kept.rows[which], [kept.unsent[i] for i in which]
        )
        whose, whence, standing = [names[i] for i in which], [partitions[i] for i in which], stands(part.rows).tolist()
        await self._retry("keep alerts", lambda: self.store.write(whose, whence, part, standing))

    def _note(self, outcome: Outcome, partitions: Sequence[int], levels: Sequence[Levels], fresh: Mask) -> None:
        window, now = outcome.windows[0], self.clock.monotonic()
        end = (window.step + 1) * window.step_seconds
        for i, (one, partition) in enumerate(zip(outcome.windows, partitions, strict=True)):
            key = partition, one.fleet
            self._newest[key], self._heard[partition] = max(end, self._newest.get(key, 0)), now
            if fresh[i]:
                self.metrics.standing(_name(one.fleet, one.server), partition, levels[i])
        self.metrics.watched(int(fresh.sum()), window.step_seconds, end)

    async def _retry(self, what: str, operation: Callable[[], Awaitable[ResultT]]) -> ResultT:
        return await retry(what, operation, self.backoff)


def _with(unsent: Sequence[Sequence[Record]], events: Events) -> list[list[Record]]:
    """What was not acknowledged before, then what is new."""
    return [
        [*before, *(encode(event, SOURCE) for event in found)] for before, found in zip(unsent, events, strict=True)
    ]


def _name(fleet: str, server: str) -> str:
    """What a server's alerts are kept under; it can be split again, whatever the names are made of."""
    return f"{len(fleet)}:{fleet}/{server}"


def _split(name: str) -> tuple[str, str]:
    """(fleet, server).

    >>> _split(_name("eu/north", "web/1"))
    ('eu/north', 'web/1')
    """
    length, _, rest = name.partition(":")
    return rest[: int(length)], rest[int(length) + 1 :]
