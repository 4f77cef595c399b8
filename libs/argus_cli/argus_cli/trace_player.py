"""Play records at a multiple of event time."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from argus_cli.trace_records import Records
from argus_common.clock import Clock

LONGEST_PAUSE_SECONDS = 0.5
"""A pause is cut into pieces of this length, so that a wish to stop is heard soon."""


@dataclass(frozen=True, slots=True)
class Pace:
    """When an event time is due. ``speed`` is event seconds per second; infinite = at once.

    >>> pace = Pace(speed=60.0, first_ms=0, started=100.0)
    >>> pace.reached_ms(101.0), pace.seconds_until(120_000, now=101.0)
    (60000.0, 1.0)
    """

    speed: float
    first_ms: int
    started: float

    def reached_ms(self, now: float) -> float:
        """The latest event time that is due at ``now``, epoch milliseconds."""
        if math.isinf(self.speed):
            return math.inf
        return self.first_ms + (now - self.started) * self.speed * 1000

    def seconds_until(self, event_ms: int, now: float) -> float:
        """How long from ``now`` until this event time is due."""
        return max(0.0, (event_ms - self.reached_ms(now)) / (self.speed * 1000))


@dataclass(frozen=True, slots=True)
class Played:
    """What was sent: records, the values in them, and the event time of the last record."""

    records: int = 0
    samples: int = 0
    last_ms: int | None = None


class Sender(Protocol):
    """Where records go."""

    async def send(self, keys: Sequence[bytes], values: Sequence[bytes]) -> None:
        """Hand over records in order."""
        ...

    async def finish(self) -> None:
        """Return when all of them are safe."""
        ...


@dataclass(slots=True)
class Player:
    """Plays slices of records, in order, until they end or ``stopped`` is set."""

    sender: Sender
    clock: Clock
    speed: float
    stopped: asyncio.Event = field(default_factory=asyncio.Event)
    pause: Callable[[float], Awaitable[object]] = asyncio.sleep
    report: Callable[[Played], object] = lambda _: None
    played: Played = Played()
    _pace: Pace | None = None

    async def play(self, slices: Iterable[Records]) -> Played:
        """What was sent; all of it is acknowledged on return."""
        for records in slices:
            if self.stopped.is_set():
                break
            await self._play_slice(records)
        await self.sender.finish()
        return self.played

    async def _play_slice(self, records: Records) -> None:
        begin = 0
        while begin < len(records) and not self.stopped.is_set():
            pace = self._pace or self._start(records)
            now = self.clock.monotonic()
            due = int(np.searchsorted(records.times, pace.reached_ms(now), side="right"))
            if due > begin:
                await self._send(records, begin, due)
                begin = due
            else:
                pause = pace.seconds_until(int(records.times[begin]), now)
                await self.pause(min(pause, LONGEST_PAUSE_SECONDS))

    def _start(self, records: Records) -> Pace:
        self._pace = Pace(self.speed, int(records.times[0]), self.clock.monotonic())
        return self._pace

    async def _send(self, records: Records, begin: int, end: int) -> None:
        await self.sender.send(records.keys[begin:end], records.values[begin:end])
        self.played = Played(
            self.played.records + end - begin,
            self.played.samples + int(records.samples[begin:end].sum()),
            int(records.times[end - 1]),
        )
        self.report(self.played)
