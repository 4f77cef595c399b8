"""What is read: forecasts, their columns, and the topology file."""

import json
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from cascade_site import STEP, STEP_SECONDS, TARGETS, forecast

from argus_cascade.adapters.topology_file import load_topology
from argus_cascade.domain.columns import Columns
from argus_common.errors import ConfigurationError
from argus_common.events import Breach, TimeToThreshold, encode
from argus_common.forecasts.decode import FUTURE_MS, UNREADABLE, Forecast, decode_forecasts
from argus_common.metrics import DEFAULT_CATALOGUE, Catalogue

END_MS = (STEP + 1) * STEP_SECONDS * 1000
NOW_MS = END_MS + 10_000
EXAMPLES = sorted((Path(__file__).parents[3] / "tests/contract/examples/argus.predictions.v1/v1").glob("*.json"))


@dataclass
class Received:
    value: bytes | None
    headers: list[tuple[str, bytes]] = field(default_factory=list)


def body(**changes: Any) -> bytes:  # noqa: ANN401
    return json.dumps(json.loads(encode(forecast("web1"), "/argus/test").value) | changes).encode()


def read(value: bytes) -> Forecast:
    decoded = decode_forecasts([Received(value)], NOW_MS)
    assert decoded.bad == []
    return decoded.good[0][1]


def test_a_forecast_as_inference_writes_it_is_read() -> None:
    record = encode(forecast("web1", risk=61.5), "/argus/inference")
    (received, found), *_ = decode_forecasts([record], NOW_MS).good
    assert received is record
    assert (found.fleet, found.server, found.origin, found.risk, found.end_ms) == (
        "default",
        "web1",
        STEP,
        61.5,
        END_MS,
    )
    assert len(found.scores) == 3 * len(TARGETS)


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: str(file.stem))
def test_every_published_example_of_a_forecast_is_read(file: Path) -> None:
    example = json.loads(file.read_text())
    assert read(json.dumps(example["payload"]).encode()).server == example["payload"]["server"]


@pytest.mark.parametrize(
    ("value", "headers", "reason"),
    [
        (None, [], "empty"),
        (b"", [], "empty"),
        (b"{", [], "not_json"),
        (b"\xff", [], "not_json"),
        (body(risk=101), [], "invalid_field"),
        (body(origin=-1), [], "invalid_field"),
        (body(step_seconds=5), [], "invalid_field"),
        (body(server=""), [], "invalid_field"),
        (body(scores=[{"target": "x", "lead": 1, "pit": 1.5, "residual": 0}]), [], "invalid_field"),
        (b'{"fleet": "eu"}', [], "invalid_field"),
        (body(), [("ce_type", b"io.argus.window.closed.v1")], "wrong_type"),
        (body(origin=STEP + FUTURE_MS // 1000 // STEP_SECONDS + 1), [], "future"),
    ],
)
def test_what_can_not_be_read_is_told_by_reason_and_takes_no_neighbour_with_it(
    value: bytes | None, headers: list[tuple[str, bytes]], reason: str
) -> None:
    good = Received(body())
    decoded = decode_forecasts([good, Received(value, headers), good], NOW_MS)
    assert [error.reason for _, error in decoded.bad] == [reason]
    assert len(decoded.good) == 2
    assert reason in UNREADABLE


def test_a_tick_has_what_the_forecasts_say_in_named_axes() -> None:
    columns = Columns.of(DEFAULT_CATALOGUE)
    breach = Breach(
        target=TARGETS[1],
        limit=90.0,
        probability={"15m": 0.1, "1h": 0.2, "4h": 0.3, "8h": 0.4},
        time_to_threshold=TimeToThreshold(p10=600.0, p50=1200.0, p90=None),
    )
    issued = {name: forecast(name, pit=pit) for name, pit in (("web2", 0.25), ("web1", 0.75))}
    issued["web2"] = issued["web2"].model_copy(update={"breaches": [breach], "profile": "web", "risk": 30.0})
    issued["web1"] = issued["web1"].model_copy(update={"observed": {TARGETS[0]: 7.0, "unknown": 1.0}, "scores": []})
    rows = {name: columns.row(read(encode(one, "/argus/test").value)) for name, one in issued.items()}
    tick = columns.tick("eu", STEP, STEP_SECONDS, rows)
    assert (tick.servers, tick.profiles, tick.targets) == (("web1", "web2"), ("generic", "web"), TARGETS)
    assert tick.leads == (1, 12, 96)
    assert tick.pit.shape == tick.residual.shape == (2, len(TARGETS), 3)
    assert np.isnan(tick.pit[0]).all()
    assert (tick.pit[1] == 0.25).all()
    assert tick.observed[0, 0] == 7.0
    assert np.isnan(tick.observed[0, 1:]).all()
    assert tick.probability[1, 1].tolist() == [0.1, 0.2, 0.3, 0.4]
    assert tick.crossing[1, 1].tolist() == [600.0, 1200.0, np.inf]
    assert not tick.probability[0].any()
    assert np.isinf(tick.crossing[0]).all()
    assert tick.risk.tolist() == [5.0, 30.0]
    assert tick.harm.tolist() == [metric.harm for metric in DEFAULT_CATALOGUE.targets()]


def test_a_catalogue_without_a_target_is_refused_at_the_start() -> None:
    metrics = {name: metric.model_copy(update={"target": False}) for name, metric in DEFAULT_CATALOGUE.metrics.items()}
    with pytest.raises(ConfigurationError, match="no metric of the catalogue is a target"):
        Columns.of(Catalogue.model_construct(metrics=metrics, limits=DEFAULT_CATALOGUE.limits))


EDGES = {("web1", "db1"), ("web2", "db1")}


def pairs(file: Path) -> set[tuple[str, str]]:
    return {(source, target) for source, targets in load_topology(file).upstream.items() for target in targets}


def test_a_topology_is_read_from_yaml_and_from_parquet(tmp_path: Path) -> None:
    yaml_file, parquet = tmp_path / "edges.yaml", tmp_path / "edges.parquet"
    yaml_file.write_text("edges:\n  - {source: web1, target: db1}\n  - {source: web2, target: db1}\n")
    pl.DataFrame({"source": ["web1", "web2"], "target": ["db1", "db1"], "weight": [1, 2]}).write_parquet(parquet)
    assert pairs(yaml_file) == pairs(parquet) == EDGES
    assert not load_topology(None)


def test_dependencies_of_profiles_stand_beside_those_of_servers(tmp_path: Path) -> None:
    file = tmp_path / "edges.yaml"
    file.write_text("edges: [{source: web1, target: db1}]\nprofiles:\n  - {source: web, target: db}\n")
    topology = load_topology(file)
    assert topology.upstream == {"web1": frozenset({"db1"})}
    assert topology.profiles == {"web": frozenset({"db"})}
    file.write_text("profiles:\n  - {source: web, target: app}\n  - {source: db, target: db}\n")
    assert load_topology(file).profiles == {"web": frozenset({"app"}), "db": frozenset({"db"})}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("edges: [", "expected"),
        ("- a", "valid dictionary"),
        ("edges: []", "expected edges or profiles, with at least 1 item"),
        ("profiles: [{source: a}]", "profiles.0.target: Field required"),
        ("edges: [{source: a}]", "edges.0.target: Field required"),
        ("edges: [{source: a, target: b, weight: 1}]", "edges.0.weight: Extra inputs"),
        ("edges: [{source: a, target: a}]", "'a' can't depend on itself"),
        ("edges: [{source: '', target: a}]", "edges.0.source"),
    ],
)
def test_a_topology_that_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "edges.yaml"
    file.write_text(text)
    with pytest.raises(ConfigurationError, match="topology") as error:
        load_topology(file)
    assert told in str(error.value)


def test_parquet_without_polars_is_told_with_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "polars", None)
    with pytest.raises(ConfigurationError, match=r"edges\.parquet: Parquet needs polars.*YAML"):
        load_topology(tmp_path / "edges.parquet")


def test_a_topology_file_that_is_missing_or_has_other_columns_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="No such file"):
        load_topology(tmp_path / "none.yaml")
    file = tmp_path / "edges.parquet"
    pl.DataFrame({"from": ["a"], "to": ["b"]}).write_parquet(file)
    with pytest.raises(ConfigurationError, match="columns source and target"):
        load_topology(file)
    pl.DataFrame({"source": ["a"], "target": [None]}, schema={"source": pl.String, "target": pl.String}).write_parquet(
        file
    )
    with pytest.raises(ConfigurationError, match=r"0\.target"):
        load_topology(file)
