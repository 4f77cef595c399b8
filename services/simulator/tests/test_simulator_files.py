"""Simulations into files."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from pyarrow.parquet import ParquetFile

from argus_common.errors import ConfigurationError, TransientError
from argus_simulator.adapters.parquet_sink import ParquetSink
from argus_simulator.app import write
from argus_simulator.domain.defects import Defects, Transport
from argus_simulator.domain.fleet import make_fleet
from argus_simulator.domain.scenarios import Scenario
from argus_simulator.domain.simulation import Simulation
from argus_simulator.domain.world import METRICS
from argus_simulator.settings import SimulatorSettings

MINUTE = SimulatorSettings(
    servers=10, seed=1, duration=timedelta(minutes=1), speed=0, start=datetime(2025, 1, 1, tzinfo=UTC)
)
"""Six ticks of ten servers."""


def written(file: Path, settings: SimulatorSettings = MINUTE, *, stopped: bool = False) -> Path:
    """The file, after a simulation was written to it."""
    stop = asyncio.Event()
    if stopped:
        stop.set()
    asyncio.run(write(settings, file, stop, lambda _records, _samples, _tick: None))
    return file


def rows_of(file: Path) -> list[tuple[object, ...]]:
    """(server, fleet, profile, epoch milliseconds, metrics ...) of every row, in order; metrics as single floats."""
    if file.suffix == ".ndjson":
        lines = [json.loads(line) for line in file.read_text().splitlines()]
        labels = [(r["server"], r["fleet"], r["profile"], r["timestamp"]) for r in lines]
        values = np.array([[*r["metrics"].values()] for r in lines], np.float32).tolist()
        return [(*label, *row) for label, row in zip(labels, values, strict=True)]
    stamp = pl.col("timestamp").dt.epoch("ms")
    return pl.read_parquet(file).select("server", "fleet", "profile", stamp, *METRICS).rows()


@pytest.mark.parametrize(
    "defect",
    [{"missing": 0.2}, {"doubled": 0.2}, {"delayed": 0.2}, {"skewed": 0.5}],
    ids=lambda defect: next(iter(defect)),
)
def test_a_parquet_file_holds_what_would_be_on_the_wire_defects_included(
    tmp_path: Path, defect: dict[str, float]
) -> None:
    settings = MINUTE.model_copy(update=defect)
    table = rows_of(written(tmp_path / "fleet.parquet", settings))
    assert table == rows_of(written(tmp_path / "fleet.ndjson", settings))
    assert table != rows_of(written(tmp_path / "sound.parquet"))


def test_a_sound_parquet_file_has_a_row_for_every_server_and_tick(tmp_path: Path) -> None:
    table = rows_of(written(tmp_path / "fleet.parquet"))
    assert len({(row[0], row[3]) for row in table}) == len(table) == 60
    assert table == rows_of(written(tmp_path / "fleet.ndjson"))


def test_a_parquet_sink_keeps_no_more_than_a_row_group(tmp_path: Path) -> None:
    fleet, file = make_fleet(10, 1), tmp_path / "fleet.parquet"
    simulation, transport = Simulation(fleet, 1, 0.0), Transport(Defects(), 10, 1)
    sink = ParquetSink(file, fleet, "default", None, group_rows=25)

    async def play() -> list[int]:
        sizes = []
        for second in range(7):
            tick = simulation.tick(float(second))
            await sink.write(transport.deliver(tick.time_s, tick.values), tick)
            sizes.append(file.stat().st_size)
        await sink.flush()
        return sizes

    sizes = asyncio.run(play())
    grown = [number for number, (before, size) in enumerate(pairwise(sizes), start=1) if size > before]
    assert grown == [2, 5]
    footer = ParquetFile(file).metadata
    assert [footer.row_group(number).num_rows for number in range(footer.num_row_groups)] == [30, 30, 10]


@pytest.mark.parametrize("name", ["fleet.parquet", "fleet.ndjson"])
def test_a_file_holds_one_run_and_its_truth(tmp_path: Path, name: str) -> None:
    settings = MINUTE.model_copy(update={"scenario": Scenario.CRITICAL, "truth": tmp_path / "truth.ndjson"})
    file = written(tmp_path / name, settings)
    truth = (tmp_path / "truth.ndjson").read_bytes()
    assert b'"what":"fault"' in truth
    written(tmp_path / name, settings)
    assert (tmp_path / "truth.ndjson").read_bytes() == truth
    assert len(rows_of(file)) == 60


def test_the_scenario_of_a_file_begins_after_its_past(tmp_path: Path) -> None:
    settings = MINUTE.model_copy(
        update={"scenario": Scenario.CASCADE, "history": timedelta(days=1), "truth": tmp_path / "truth.ndjson"}
    )
    written(tmp_path / "fleet.parquet", settings)
    truth = [json.loads(line) for line in (tmp_path / "truth.ndjson").read_text().splitlines()]
    failures = [line["begin_s"] for line in truth if line.get("kind") == "upstream_failure"]
    assert failures == [datetime(2025, 1, 1, tzinfo=UTC).timestamp()]


@pytest.mark.parametrize("name", ["fleet.parquet", "fleet.ndjson"])
def test_a_run_that_was_stopped_before_its_first_tick_leaves_a_file_that_can_be_read(tmp_path: Path, name: str) -> None:
    assert rows_of(written(tmp_path / name, stopped=True)) == []


def test_another_suffix_is_refused_with_what_is_expected(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"fleet\.csv: expected a \.parquet or \.ndjson file"):
        written(tmp_path / "fleet.csv")


@pytest.mark.parametrize("name", ["fleet.parquet", "fleet.ndjson"])
def test_a_file_that_cannot_be_created_is_told_by_its_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"nowhere/{name}"):
        written(tmp_path / "nowhere" / name)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_full_disk_is_told_by_the_files_name(tmp_path: Path) -> None:
    file = tmp_path / "fleet.ndjson"
    settings = MINUTE.model_copy(update={"truth": Path("/dev/full"), "scenario": Scenario.CRITICAL})
    with pytest.raises(TransientError, match=r"can't go on writing .*fleet\.ndjson"):
        written(file, settings)
