"""What records of other topics mean for retraining."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from alert_events import ended
from drift_events import drift_cleared, drift_detected, drift_updated

from argus_common.events import (
    BreachMitigated,
    Event,
    MaintenanceScheduled,
    RetrainRequested,
    TrainingCause,
    TrainingStarted,
    encode,
)
from argus_forecasting.archive import Archive
from argus_retrainer.adapters.object_folder import ObjectFolder
from argus_retrainer.adapters.parquet_spans import ParquetSpans, table
from argus_retrainer.domain.spans import Span
from argus_retrainer.handlers import Heard
from argus_retrainer.job.exclude import by_server

STEP = 5_785_632
STEP_MS = 300_000


@dataclass(frozen=True)
class Told:
    value: bytes | None
    headers: list[tuple[str, bytes]] = field(default_factory=list)
    timestamp: int = 1000


def event(one: Event) -> Told:
    record = encode(one, "/test")
    return Told(record.value, list(record.headers))


def plain(kind: str, **fields: Any) -> Told:  # noqa: ANN401
    return Told(json.dumps(fields).encode(), [("ce_type", kind.encode())])


def heard(*records: Told) -> Heard:
    made = Heard("fleet")
    made.on_records(records)
    made.on_records(records)
    return made


def test_drift_is_a_cause_until_it_is_cleared() -> None:
    found = heard(
        event(drift_detected("d1", fleet="eu")),
        event(drift_detected("d2", fleet="eu", message="web servers use more")),
        event(drift_updated("d2", fleet="eu")),
        event(drift_cleared("d1")),
    )
    (cause,) = found.causes.pending(set())
    assert (cause.kind, cause.id, cause.fleet, cause.asked_ms) == ("drift", "d2", "eu", 1000)


def test_cascades_are_open_until_resolved_by_their_id_alone() -> None:
    found = heard(
        plain("io.argus.cascade.opened.v1", cascade="c1", fleet="eu"),
        plain("io.argus.cascade.updated.v1", cascade="c2", fleet="eu"),
        plain("io.argus.cascade.resolved.v1", cascade="c1"),
    )
    assert found.cascades.open(2000) == ("c2",)


def test_commands_and_the_history_of_the_model_are_heard() -> None:
    cause = TrainingCause(kind="age", id="age/1", asked_ms=0)
    started = TrainingStarted(model="fleet", version="1", causes=[cause], started_ms=1)
    found = heard(event(RetrainRequested(model="fleet", requested_ms=5)), event(started))
    assert [one.kind for one in found.causes.pending(set())] == ["command"]
    assert found.history.running() == started


def test_what_is_for_others_is_passed_over_and_what_can_not_be_read_is_counted() -> None:
    found = Heard("fleet")
    found.on_records(
        [
            plain("io.argus.scenario.requested.v1", scenario="healthy"),
            Told(b"no headers"),
            plain("io.argus.drift.detected.v1", fleet="eu"),
            Told(b"{", [("ce_type", b"io.argus.cascade.opened.v1")]),
            Told(b"[]", [("ce_type", b"io.argus.cascade.opened.v1")]),
            plain("io.argus.retrain.requested.v1", model="?"),
        ]
    )
    assert found.unreadable == 4
    assert found.causes.pending(set()) == []


def test_maintenance_and_mitigated_alerts_are_not_learned_from() -> None:
    found = heard(
        event(MaintenanceScheduled(fleet="eu", server=None, start_ms=0, end_ms=9)),
        event(MaintenanceScheduled(fleet="eu", server="db1", start_ms=3, end_ms=9)),
        event(ended(STEP, STEP + 2, "mitigated")),
        event(ended(STEP, STEP + 9, "hit", crossed=STEP + 1)),
        event(BreachMitigated(alert=f"eu/db1/disk_usage_pct/high/300/{STEP}", requested_ms=(STEP + 4) * STEP_MS)),
        event(BreachMitigated(alert="of another make", requested_ms=1)),
        event(BreachMitigated(alert=f"eu/db1/disk_usage_pct/high/300/{STEP}", requested_ms=5)),
    )
    mitigated = [span for span in found.spans.all() if span.begin_ms == STEP * STEP_MS]
    assert {(span.server, span.end_ms // STEP_MS - STEP) for span in mitigated} == {("web1", 3), ("db1", 5)}
    assert found.spans.all() - set(mitigated) == {Span("eu", "", 0, 9), Span("eu", "db1", 3, 9)}


def test_spans_are_kept_beside_the_archive_after_the_topics_forget_them(tmp_path: Path) -> None:
    store = ParquetSpans(ObjectFolder(str(tmp_path)))
    assert store.kept(set()) == set()
    one, other = Span("eu", "", 0, 9), Span("eu", "db1", 3, 9)
    assert store.kept({one}) == {one}
    assert store.kept({other}) == {one, other}
    assert ParquetSpans(ObjectFolder(str(tmp_path))).kept(set()) == {one, other}


def test_a_span_of_a_fleet_is_one_of_each_of_its_servers(tmp_path: Path) -> None:
    for fleet, server in (("eu", "a"), ("eu", "b"), ("us", "c")):
        place = tmp_path / f"fleet={fleet}"
        place.mkdir(exist_ok=True)
        pl.DataFrame({"server": [server], "timestamp": [0], "x": [1.0]}).write_parquet(place / f"{server}.parquet")
    spans = table({Span("eu", "", 0, 9), Span("us", "c", 1, 2)})
    found = by_server(spans, Archive.at(tmp_path))
    assert sorted(found["server"].to_list()) == ["a", "b", "c"]
    alone = table({Span("us", "c", 1, 2)})
    assert by_server(alone, Archive.at(tmp_path)).equals(alone)


@pytest.mark.parametrize("spans", [set(), {Span("eu", "", 0, 9)}])
def test_a_table_of_spans_has_the_columns_of_argus_train_exclude(spans: set[Span]) -> None:
    assert table(spans).columns == ["fleet", "server", "begin", "end"]
