"""Plays a simulation: the past as fast as it goes, then the present at its speed."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta

from argus_common.clock import Clock
from argus_simulator.domain.defects import Transport
from argus_simulator.domain.scenarios import Scenario
from argus_simulator.domain.simulation import Simulation, Tick
from argus_simulator.domain.world import METRICS
from argus_simulator.ports import Sink, Switch

Report = Callable[[int, int, Tick], None]
"""(records, samples, tick) after each tick."""


@dataclass(frozen=True, slots=True)
class Timetable:
    """When ticks happen, in event time. ``speed`` 0 = as fast as it goes; ``duration`` None = without an end."""

    start_s: float
    history: timedelta
    history_interval: timedelta
    interval: timedelta
    duration: timedelta | None
    speed: float

    def past(self) -> Iterator[float]:
        """Times of the past's ticks, up to but not including the present's beginning."""
        step = self.history_interval.total_seconds()
        count = int(self.history.total_seconds() // step)
        return (self.start_s - (count - i) * step for i in range(count))

    def present(self) -> Iterator[float]:
        """Times of the present's ticks."""
        step, number = self.interval.total_seconds(), 0
        while self.duration is None or number * step < self.duration.total_seconds():
            yield self.start_s + number * step
            number += 1

    def first_s(self) -> float:
        """When the first tick is."""
        return next(self.past(), self.start_s)


class Player:
    """Moves a simulation along its timetable and hands on what it yields."""

    def __init__(self, simulation: Simulation, transport: Transport, sink: Sink, switch: Switch, clock: Clock) -> None:
        self._simulation, self._transport = simulation, transport
        self._sink, self._switch, self._clock = sink, switch, clock

    async def play(self, timetable: Timetable, scenario: Scenario, stop: asyncio.Event, report: Report) -> None:
        """Until the timetable ends or ``stop`` is set; everything produced is flushed.

        The past is healthy; ``scenario`` begins with the present.
        """
        for time_s in timetable.past():
            if stop.is_set():
                break
            await self._tick(time_s, report)
            await asyncio.sleep(0)  # a sink may never wait, and a signal must be heard
        self._simulation.switch(scenario)
        begin = self._clock.monotonic()
        for time_s in timetable.present():
            if stop.is_set() or await self._waited(timetable, time_s, begin, stop):
                break
            if (wanted := self._switch.wanted()) is not None:
                self._simulation.switch(wanted)
            await self._tick(time_s, report)
        await self._sink.flush()

    async def _waited(self, timetable: Timetable, time_s: float, begin: float, stop: asyncio.Event) -> bool:
        """Wait until the tick is due; whether we were told to stop meanwhile."""
        if timetable.speed == 0:
            await asyncio.sleep(0)
            return stop.is_set()
        ahead = begin + (time_s - timetable.start_s) / timetable.speed - self._clock.monotonic()
        if ahead <= 0:
            return stop.is_set()
        try:
            async with asyncio.timeout(ahead):
                await stop.wait()
        except TimeoutError:
            return False
        return True

    async def _tick(self, time_s: float, report: Report) -> None:
        tick = self._simulation.tick(time_s)
        rows = self._transport.deliver(time_s, tick.values, tick.silent)
        records = await self._sink.write(rows, tick)
        report(records, len(rows.server) * len(METRICS), tick)
