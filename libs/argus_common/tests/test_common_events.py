import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from argus_common.errors import MalformedEventError
from argus_common.events import (
    Breach,
    Event,
    ForecastIssued,
    ForecastScore,
    ModelReference,
    Quality,
    ScenarioRequested,
    TimeToThreshold,
    WindowClosed,
    decode,
    decode_batch,
    encode,
)
from argus_common.events.window import window_id
from argus_common.levels import Level

WINDOW = WindowClosed(
    fleet="default",
    server="ppweb001",
    profile="web_api",
    step=5_785_632,
    step_seconds=300,
    samples=60,
    metrics={"cpu_user_pct": 12.25},
)


@dataclass(frozen=True)
class Received:
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = field(default_factory=tuple)


names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30)
finite = st.floats(allow_nan=False, allow_infinity=False)
ratios = st.floats(0, 1)
steps = st.integers(0, 70_000_000)
windows = st.builds(
    WindowClosed,
    fleet=names,
    server=names,
    profile=names,
    step=steps,
    step_seconds=st.integers(10, 3600),
    samples=st.integers(1, 1000),
    metrics=st.dictionaries(names, finite, max_size=5),
)
breaches = st.builds(
    Breach,
    target=names,
    limit=finite,
    harm=st.sampled_from([1, -1]),
    probability=st.dictionaries(st.sampled_from(["15m", "1h", "4h", "8h"]), ratios),
    time_to_threshold=st.builds(TimeToThreshold, p10=st.none() | st.floats(0, 1e9)),
)
scores = st.builds(
    ForecastScore, target=names, lead=st.integers(1, 96), pit=ratios, residual=finite, pinball=st.floats(0, 1e9)
)
forecasts = st.builds(
    ForecastIssued,
    fleet=names,
    server=names,
    profile=names,
    origin=steps,
    step_seconds=st.integers(10, 3600),
    model=st.builds(ModelReference, name=names, version=names, kind=st.sampled_from(["statistical", "tft"])),
    observed=st.dictionaries(names, finite, max_size=3),
    levels=st.just((0.1, 0.5, 0.9)),
    quantiles=st.dictionaries(names, st.lists(st.tuples(finite, finite, finite).map(list), max_size=3), max_size=2),
    breaches=st.lists(breaches, max_size=2),
    risk=st.floats(0, 100),
    level=st.sampled_from(Level),
    scores=st.lists(scores, max_size=2),
    quality=st.dictionaries(names, st.builds(Quality, observed_share=ratios, warming_up=st.booleans()), max_size=2),
)
requests = st.builds(
    ScenarioRequested,
    scenario=st.sampled_from(["healthy", "degrading", "critical", "cascade"]),
    requested_ms=st.integers(0, 253_402_300_799_000),
)


@given(windows | forecasts | requests)
def test_decoding_undoes_encoding(event: Event) -> None:
    record = encode(event, "/argus/test")
    assert decode(type(event), Received(record.value, record.headers)) == event


@given(windows | forecasts | requests)
def test_the_same_event_is_always_the_same_record(event: Event) -> None:
    again = type(event).model_validate(event.model_dump())
    assert encode(event, "/argus/test") == encode(again, "/argus/test")


def test_a_record_carries_the_cloudevents_headers_and_the_key() -> None:
    record = encode(WINDOW, "/argus/ingest")
    assert record.key == b"ppweb001"
    assert record.headers == [
        ("ce_specversion", b"1.0"),
        ("ce_type", b"io.argus.window.closed.v1"),
        ("ce_source", b"/argus/ingest"),
        ("ce_id", b"default/ppweb001/300/5785632"),
        ("ce_time", b"2025-01-01T00:05:00Z"),
        ("content-type", b"application/json"),
    ]
    assert json.loads(record.value) == {
        "fleet": "default",
        "server": "ppweb001",
        "profile": "web_api",
        "step": 5785632,
        "step_seconds": 300,
        "samples": 60,
        "metrics": {"cpu_user_pct": 12.25},
    }


def test_the_id_names_the_fact_and_not_its_content() -> None:
    rewritten = WINDOW.model_copy(update={"samples": 61, "metrics": {}})
    assert rewritten.id() == WINDOW.id() == window_id("default", "ppweb001", 300, 5_785_632)
    assert WINDOW.model_copy(update={"step": 5_785_633}).id() != WINDOW.id()


def test_a_forecast_is_keyed_by_fleet_and_named_by_origin_and_model() -> None:
    forecast = ForecastIssued(
        fleet="default",
        server="ppweb001",
        origin=5_785_632,
        step_seconds=300,
        model=ModelReference(name="analog", version="1"),
        observed={},
        levels=(0.5,),
        quantiles={},
        risk=12,
        level=Level.HEALTHY,
    )
    assert forecast.key() == "default"
    assert forecast.id() == "default/ppweb001/300/5785632/analog@1"
    assert forecast.time() == datetime(2025, 1, 1, 0, 5, tzinfo=UTC)


def test_a_scenario_request_is_keyed_by_the_service_that_is_asked() -> None:
    request = ScenarioRequested(scenario="cascade", requested_ms=1_735_689_600_500)
    assert request.key() == "simulator"
    assert request.id() == "simulator/cascade/1735689600500"
    assert request.time() == datetime(2025, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)


def changed(**fields: object) -> bytes:
    return json.dumps({**json.loads(WINDOW.model_dump_json()), **fields}).encode()


@pytest.mark.parametrize(
    ("value", "reason", "expected"),
    [
        (None, "empty", "the record has no value"),
        (b"", "empty", "the record has no value"),
        (b"{oops", "not_json", "Invalid JSON"),
        (b"\xff\xfe", "not_json", "Invalid JSON"),
        (b'{"server":"\\ud800"}', "not_json", "Invalid JSON"),
        (b"[]", "invalid_field", "value: Input should be an object"),
        (b"{}", "invalid_field", "fleet: Field required"),
        (changed(server=""), "invalid_field", "server: String should have at least 1 character"),
        (changed(server="x" * 254), "invalid_field", "server: String should have at most 253 characters"),
        (changed(step=-1), "invalid_field", "step: Input should be greater than or equal to 0"),
        (changed(step=2**32), "invalid_field", "step: Input should be less than or equal to 4294967294"),
        (changed(step=4_000_000_000), "invalid_field", "value: Value error, its time lies beyond the year 9999"),
        (changed(step_seconds=9), "invalid_field", "step_seconds: Input should be greater than or equal to 10"),
        (changed(samples=0), "invalid_field", "samples: Input should be greater than or equal to 1"),
        (changed(metrics={"a": math.nan}), "invalid_field", "metrics.a: Input should be a finite number"),
        (changed(metrics={"a": math.inf}), "invalid_field", "metrics.a: Input should be a finite number"),
        (changed(metrics={"a": None}), "invalid_field", "metrics.a: Input should be a valid number"),
        (changed(metrics=[]), "invalid_field", "metrics: Input should be an object"),
    ],
)
def test_what_can_not_be_read_has_a_reason_and_a_place(value: bytes | None, reason: str, expected: str) -> None:
    with pytest.raises(MalformedEventError) as caught:
        decode(WindowClosed, Received(value))
    assert caught.value.reason == reason
    assert str(caught.value).startswith(("io.argus.window.closed.v1: ", "expected io.argus.window.closed.v1"))
    assert expected in str(caught.value)


@pytest.mark.parametrize("said", [b"io.argus.forecast.issued.v1", b"\xff", b"x" * 100_000])
def test_another_event_type_is_not_tried(said: bytes) -> None:
    with pytest.raises(MalformedEventError, match=r"expected io\.argus\.window\.closed\.v1, the record says") as caught:
        decode(WindowClosed, Received(changed(), [("ce_type", said)]))
    assert caught.value.reason == "wrong_type"
    assert len(str(caught.value)) < 200


def test_a_record_without_headers_is_read() -> None:
    assert decode(WindowClosed, Received(changed())) == WINDOW


def test_a_field_of_a_later_version_is_ignored() -> None:
    assert decode(WindowClosed, Received(changed(colour="green"))) == WINDOW


@given(st.binary(max_size=100))
def test_no_bytes_raise_anything_but_a_malformed_event(value: bytes) -> None:
    with pytest.raises(MalformedEventError):
        decode(WindowClosed, Received(value))


def test_a_bad_record_does_not_take_its_neighbours_with_it() -> None:
    records = [Received(changed()), Received(b"{"), Received(None), Received(changed(step=7))]
    verdicts = decode_batch(WindowClosed, records)
    assert [(record, event.step) for record, event in verdicts.good] == [(records[0], 5_785_632), (records[3], 7)]
    assert [(record, error.reason) for record, error in verdicts.bad] == [
        (records[1], "not_json"),
        (records[2], "empty"),
    ]


def test_an_event_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        WINDOW.step = 1  # type: ignore[misc]


def test_every_event_type_is_reverse_dns_with_its_version() -> None:
    kinds: list[Any] = [WindowClosed, ForecastIssued, ScenarioRequested]
    assert [kind.type for kind in kinds] == [
        "io.argus.window.closed.v1",
        "io.argus.forecast.issued.v1",
        "io.argus.scenario.requested.v1",
    ]
