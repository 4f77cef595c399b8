"""Event time passes at the chosen speed, and a wish to stop is heard."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from argus_cli.trace_player import Pace, Played, Player
from argus_cli.trace_records import Records
from argus_common.clock import ManualClock

STEP_MS = 300_000


@dataclass(slots=True)
class ListSender:
    """Remembers what was sent when."""

    clock: ManualClock
    sent: list[tuple[float, list[bytes]]] = field(default_factory=list)
    finished: bool = False

    async def send(self, keys: Sequence[bytes], values: Sequence[bytes]) -> None:
        assert len(keys) == len(values)
        self.sent.append((self.clock.monotonic(), list(values)))

    async def finish(self) -> None:
        self.finished = True


def steps(first: int, last: int) -> Records:
    """One record of two samples for each step in ``[first, last)``."""
    numbers = range(first, last)
    return Records(
        [b"web1" for _ in numbers],
        [str(number).encode() for number in numbers],
        np.array([number * STEP_MS for number in numbers], np.int64),
        np.full(last - first, 2),
    )


def player(speed: float) -> tuple[Player, ListSender, ManualClock]:
    clock = ManualClock()
    sender = ListSender(clock)

    async def pause(seconds: float) -> None:
        clock.advance(seconds)

    return Player(sender, clock, speed, pause=pause), sender, clock


async def test_at_full_speed_each_slice_goes_out_whole_and_no_time_passes() -> None:
    play, sender, clock = player(float("inf"))
    played = await play.play([steps(0, 3), steps(3, 5)])
    assert [values for _, values in sender.sent] == [[b"0", b"1", b"2"], [b"3", b"4"]]
    assert played == Played(records=5, samples=10, last_ms=4 * STEP_MS)
    assert (sender.finished, clock.monotonic()) == (True, 0.0)


async def test_at_a_hundred_times_event_time_a_step_takes_three_seconds_also_across_slices() -> None:
    play, sender, _ = player(100.0)
    await play.play([steps(0, 2), steps(2, 4)])
    assert sender.sent == [
        (0.0, [b"0"]),
        (pytest.approx(3.0), [b"1"]),
        (pytest.approx(6.0), [b"2"]),
        (pytest.approx(9.0), [b"3"]),
    ]


async def test_what_became_due_during_a_slow_call_is_caught_up_at_once() -> None:
    play, sender, clock = player(100.0)
    reports: list[Played] = []

    def fall_behind(played: Played) -> None:
        reports.append(played)
        clock.advance(7.0)

    play.report = fall_behind
    await play.play([steps(0, 4)])
    assert [values for _, values in sender.sent] == [[b"0"], [b"1", b"2"], [b"3"]]
    assert [played.records for played in reports] == [1, 3, 4]


async def test_a_wish_to_stop_is_heard_within_half_a_second_of_a_long_pause() -> None:
    play, sender, clock = player(0.001)
    pauses: list[float] = []

    async def pause(seconds: float) -> None:
        pauses.append(seconds)
        clock.advance(seconds)
        if len(pauses) == 3:
            play.stopped.set()

    play.pause = pause
    played = await play.play([steps(0, 2), steps(2, 4)])
    assert pauses == [0.5, 0.5, 0.5]
    assert played == Played(records=1, samples=2, last_ms=0)
    assert sender.finished


async def test_nothing_is_sent_when_stopped_before_the_start() -> None:
    play, sender, _ = player(1.0)
    play.stopped = asyncio.Event()
    play.stopped.set()
    assert await play.play([steps(0, 2)]) == Played()
    assert sender.sent == []


def test_an_event_time_that_is_due_needs_no_wait() -> None:
    pace = Pace(speed=10.0, first_ms=1000, started=5.0)
    assert pace.reached_ms(6.0) == 11_000
    assert pace.seconds_until(6_000, now=6.0) == 0.0
    assert pace.seconds_until(21_000, now=6.0) == 1.0
