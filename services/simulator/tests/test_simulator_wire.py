"""Delivery, records and the timetable."""

import asyncio
import json
from datetime import timedelta

import numpy as np
import pytest

from argus_common.clock import ManualClock
from argus_simulator.adapters.kafka_switch import NoSwitch
from argus_simulator.domain.defects import Defects, Delivered, Transport
from argus_simulator.domain.fleet import make_fleet
from argus_simulator.domain.scenarios import Scenario
from argus_simulator.domain.simulation import Simulation, Tick
from argus_simulator.domain.truth import FaultTruth, Truth
from argus_simulator.domain.wire import Form, Record, Renderer
from argus_simulator.domain.world import METRICS
from argus_simulator.player import Player, Timetable

START = 1_735_689_600.0
FLEET = make_fleet(10, 1)
WEARING = ("memory_leak", "disk_fill", "noisy_neighbour")


class MemorySink:
    """Keeps what it is given."""

    def __init__(self, form: Form = Form.WIDE) -> None:
        self.renderer = Renderer(FLEET, "default", form)
        self.records: list[Record] = []
        self.times: list[float] = []
        self.truth: list[Truth] = []
        self.flushed = False

    async def write(self, rows: Delivered, tick: Tick) -> int:
        """Keep."""
        self.records += (records := list(self.renderer.records(rows)))
        self.times.append(tick.time_s)
        self.truth += tick.truth
        return len(records)

    async def flush(self) -> None:
        """Note it."""
        self.flushed = True


def play(timetable: Timetable, form: Form = Form.WIDE, scenario: Scenario = Scenario.HEALTHY) -> MemorySink:
    """A whole run into memory."""
    sink = MemorySink(form)
    simulation = Simulation(FLEET, 1, timetable.first_s())
    transport = Transport(Defects(), len(FLEET), 1)
    player = Player(simulation, transport, sink, NoSwitch(), ManualClock())
    asyncio.run(player.play(timetable, scenario, asyncio.Event(), lambda _records, _samples, _tick: None))
    return sink


def timetable(**changes: object) -> Timetable:
    """A minute as fast as it goes."""
    fields: dict[str, object] = {
        "start_s": START,
        "history": timedelta(0),
        "history_interval": timedelta(minutes=5),
        "interval": timedelta(seconds=10),
        "duration": timedelta(minutes=1),
        "speed": 0.0,
    }
    return Timetable(**(fields | changes))  # type: ignore[arg-type]


def test_wide_records_carry_every_metric_under_the_servers_key() -> None:
    sink = play(timetable())
    assert len(sink.records) == 6 * len(FLEET)
    key, value = sink.records[0]
    record = json.loads(value)
    assert key == record["server"].encode()
    assert record["timestamp"] == int(START * 1000)
    assert (record["fleet"], record["profile"]) == ("default", "web_api")
    assert tuple(record["metrics"]) == METRICS


def test_single_records_hold_the_same_samples_as_wide_ones() -> None:
    wide = {(r["server"], r["timestamp"], name): value for _, v in play(timetable()).records
            for r in [json.loads(v)] for name, value in r["metrics"].items()}  # fmt: skip
    single = {(r["server"], r["timestamp"], r["metric"]): r["value"] for _, v in play(timetable(), Form.SINGLE).records
              for r in [json.loads(v)]}  # fmt: skip
    assert single == wide


def test_batches_hold_the_same_records_as_wide_ones() -> None:
    wide = [json.loads(value) for _, value in play(timetable()).records]
    batches = [record for _, value in play(timetable(), Form.BATCH).records for record in json.loads(value)]
    assert sorted(map(str, batches)) == sorted(map(str, wide))


def test_the_past_comes_first_and_ends_where_the_present_begins() -> None:
    times = play(timetable(history=timedelta(minutes=15))).times
    assert times[:4] == [START - 900, START - 600, START - 300, START]
    assert times[-1] == START + 50


def test_the_past_is_healthy_and_the_scenario_begins_with_the_present() -> None:
    sink = play(timetable(history=timedelta(days=3)), scenario=Scenario.CRITICAL)
    begun = [t.begin_s for t in sink.truth if isinstance(t, FaultTruth) and t.kind in WEARING]
    assert sink.times[0] == START - 3 * 86_400
    assert 2 <= len(begun) <= 4
    assert START <= min(begun) <= max(begun) < START + 1800


def test_bytes_do_not_depend_on_the_speed() -> None:
    class Jumping(ManualClock):
        """Time flies: every look at it is a day later."""

        def monotonic(self) -> float:
            """A day later than last time."""
            self.advance(86_400)
            return self.elapsed_seconds

    fast = play(timetable())
    sink = MemorySink()
    player = Player(Simulation(FLEET, 1, START), Transport(Defects(), len(FLEET), 1),
                    sink, NoSwitch(), Jumping())  # fmt: skip
    asyncio.run(
        player.play(timetable(speed=7.0), Scenario.HEALTHY, asyncio.Event(), lambda _records, _samples, _tick: None)
    )
    assert sink.records == fast.records


def test_everything_is_flushed_when_told_to_stop() -> None:
    stop = asyncio.Event()
    stop.set()
    sink = MemorySink()
    player = Player(Simulation(FLEET, 1, START), Transport(Defects(), len(FLEET), 1),
                    sink, NoSwitch(), ManualClock())  # fmt: skip
    asyncio.run(player.play(timetable(duration=None), Scenario.HEALTHY, stop, lambda _records, _samples, _tick: None))
    assert sink.flushed
    assert sink.records == []


def test_a_stop_is_heard_in_the_past_too() -> None:
    stop, sink = asyncio.Event(), MemorySink()
    player = Player(Simulation(FLEET, 1, START), Transport(Defects(), len(FLEET), 1),
                    sink, NoSwitch(), ManualClock())  # fmt: skip

    async def play_and_stop() -> None:
        asyncio.get_running_loop().call_soon(stop.set)
        past = timetable(history=timedelta(days=1))
        await player.play(past, Scenario.HEALTHY, stop, lambda _records, _samples, _tick: None)

    asyncio.run(play_and_stop())
    assert sink.flushed
    assert len(sink.times) < 5


def delivered(defects: Defects, ticks: int = 400) -> list[Delivered]:
    """So many ticks of ten servers."""
    transport = Transport(defects, len(FLEET), 3)
    values = np.arange(10 * len(METRICS), dtype=np.float64).reshape(10, -1)
    return [transport.deliver(START + 10 * number, values) for number in range(ticks)]


def test_without_defects_every_server_is_delivered_once_a_tick() -> None:
    assert all(rows.server == list(range(10)) for rows in delivered(Defects()))


@pytest.mark.parametrize(
    ("defects", "share"), [(Defects(missing=0.2), 0.8), (Defects(doubled=0.2), 1.2), (Defects(delayed=0.2), 1.0)]
)
def test_the_share_of_delivered_rows_follows_the_defects(defects: Defects, share: float) -> None:
    rows = sum(len(tick.server) for tick in delivered(defects))
    assert rows == pytest.approx(4000 * share, rel=0.05)


def test_delayed_rows_keep_their_time_and_values() -> None:
    ticks = delivered(Defects(delayed=0.3))
    late = [
        (server, time)
        for number, tick in enumerate(ticks)
        for server, time in zip(tick.server, tick.time_ms, strict=True)
        if time < (START + 10 * number) * 1000
    ]
    assert late
    assert all((time - START * 1000) % 10_000 == 0 for _, time in late)


def test_a_wrong_clock_stays_wrong_by_the_same_amount() -> None:
    ticks = delivered(Defects(skewed=0.5), ticks=5)
    offsets = [[t - int((START + 10 * n) * 1000) for t in tick.time_ms] for n, tick in enumerate(ticks)]
    assert offsets[0] == offsets[4]
    assert 0 < sum(offset != 0 for offset in offsets[0]) < 10
