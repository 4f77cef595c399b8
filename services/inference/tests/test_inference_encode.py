"""What is published is exactly a ForecastIssued: as the slow way would have said it, and nothing that is not finite."""

import json
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from inference_domain import LEVELS, STEP, STEP_SECONDS, TARGETS, window

from argus_common.events import (
    Breach,
    ForecastIssued,
    ForecastScore,
    ModelReference,
    Quality,
    Record,
    TimeToThreshold,
    decode,
    encode,
)
from argus_common.levels import Level, level_of
from argus_common.rounding import round_alike
from argus_forecasting.forecaster import ForecastBatch
from argus_inference.domain.encode import SOURCE, encode_forecasts, rounded_pit
from argus_inference.domain.outcome import Outcome

MODEL = ModelReference(name="stub", version="7", kind="statistical")
NewOutcome = Callable[..., Outcome]


def records(outcome: Outcome) -> list[Record]:
    return list(encode_forecasts(outcome, TARGETS, LEVELS, MODEL))


def body(outcome: Outcome) -> dict[str, Any]:
    (record,) = records(outcome)
    found: dict[str, Any] = json.loads(record.value)
    return found


def spelled_out(outcome: Outcome, i: int) -> ForecastIssued:
    """The event of server ``i``, field by field."""
    closed, names = outcome.windows[i], TARGETS.names
    there = [(t, name) for t, name in enumerate(names) if outcome.seen[i, t]]
    rounded = {name: round_alike(outcome.quantiles[i, t].astype(np.float64)[None], 4)[0] for t, name in there}
    return ForecastIssued(
        fleet=closed.fleet,
        server=closed.server,
        profile=closed.profile,
        origin=closed.step,
        step_seconds=closed.step_seconds,
        model=MODEL,
        observed={name: closed.metrics[name] for name in names if name in closed.metrics},
        levels=LEVELS,
        quantiles={name: values.tolist() for name, values in rounded.items()},
        breaches=[breach(outcome, i, t) for t, _ in there if not math.isnan(outcome.limits[i, t])],
        risk=round(float(outcome.risk[i]), 1),
        level=level_of(round(float(outcome.risk[i]), 1)),
        scores=[
            ForecastScore(
                target=name,
                lead=lead,
                pit=rounded_pit(float(outcome.scores.pit[i, t, k])),
                residual=float(f"{outcome.scores.residual[i, t, k]:.4g}"),
                pinball=float(f"{outcome.scores.pinball[i, t, k]:.4g}"),
            )
            for t, name in enumerate(names)
            for k, lead in enumerate((1, 12, 96))
            if not math.isnan(outcome.scores.pit[i, t, k])
        ],
        quality={
            name: Quality(
                observed_share=round(float(outcome.observed_share[i, t]), 4),
                warming_up=bool(outcome.warming_up[i, t]),
            )
            for t, name in there
        },
    )


def breach(outcome: Outcome, i: int, t: int) -> Breach:
    metric, chance = TARGETS.metrics[t], outcome.probability[i, t].tolist()
    minutes = outcome.time_to_threshold[i, t].tolist()
    times = [None if math.isnan(m) else round(m * 60) for m in minutes]
    return Breach(
        target=metric.name,
        limit=float(outcome.limits[i, t]),
        harm=1 if metric.harm > 0 else -1,
        probability={name: round(p, 4) for name, p in zip(("15m", "1h", "4h", "8h"), chance, strict=True)},
        time_to_threshold=TimeToThreshold(p10=times[0], p50=times[1], p90=times[2]),
    )


number = st.floats(-1e6, 1e6, width=32)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.dictionaries(st.sampled_from(TARGETS.names), number), min_size=1, max_size=4), number)
def test_the_published_bytes_decode_to_the_event_as_the_model_would_have_made_it(
    new_outcome: NewOutcome, metrics: list[dict[str, float]], due: float
) -> None:
    windows = [window(f"s{i}", STEP, "eu", "database", **values, noise=1.0) for i, values in enumerate(metrics)]
    made = new_outcome(*windows, due=due, horizon=3)
    expected = [spelled_out(made, i) for i in range(len(windows)) if made.seen[i].any()]
    published = records(made)
    assert [decode(ForecastIssued, record) for record in published] == expected
    for record, event in zip(published, expected, strict=True):
        slow = encode(event, SOURCE)
        assert (record.key, list(record.headers)) == (slow.key, list(slow.headers))
        assert json.loads(record.value) == json.loads(slow.value)


def test_the_same_outcome_always_has_the_same_bytes_and_id(new_outcome: NewOutcome) -> None:
    assert records(new_outcome()) == records(new_outcome())
    assert dict(records(new_outcome())[0].headers)["ce_id"] == b"default/web1/300/5785632/stub@7"


def test_the_event_is_keyed_by_fleet_and_timed_at_the_end_of_its_step(new_outcome: NewOutcome) -> None:
    (record,) = records(new_outcome(window("web1", STEP, "eu")))
    assert record.key == b"eu"
    assert dict(record.headers)["ce_time"] == b"2025-01-01T00:05:00Z"
    assert dict(record.headers)["ce_type"] == b"io.argus.forecast.issued.v1"


def test_quantiles_have_four_significant_digits_and_never_cross(new_outcome: NewOutcome) -> None:
    told = body(new_outcome(window("web1", STEP, disk=12.3456, idle=4000.4, free=0.0123456)))["quantiles"]
    assert told["disk"][0] == [11.35, 12.35, 13.35]
    assert told["idle"][0] == [3999, 4000, 4001]
    assert told["free"][0] == [-0.988, 0.012, 1.012]
    assert len(told["disk"]) == 96


def test_a_target_that_was_never_seen_is_not_spoken_of(new_outcome: NewOutcome) -> None:
    told = body(new_outcome(window("web1", STEP, idle=50.0)))
    assert set(told["quantiles"]) == set(told["quality"]) == set(told["observed"]) == {"idle"}
    assert [breach["target"] for breach in told["breaches"]] == ["idle"]


def test_a_server_without_any_target_gets_no_event(new_outcome: NewOutcome) -> None:
    made = new_outcome(window("web1", STEP, noise=1.0), window("web2"))
    assert [json.loads(record.value)["server"] for record in records(made)] == ["web2"]


def test_a_target_without_a_limit_has_no_breach(new_outcome: NewOutcome) -> None:
    told = body(new_outcome())
    assert [(b["target"], b["limit"], b["harm"]) for b in told["breaches"]] == [("disk", 90, 1), ("idle", 5, -1)]
    assert told["breaches"][0]["probability"] == {"15m": 0.1, "1h": 0.2, "4h": 0.3, "8h": 0.4}
    assert told["breaches"][0]["time_to_threshold"] == {"p10": 1800, "p50": None, "p90": None}


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_forecast_that_is_not_finite_is_withheld(new_outcome: NewOutcome, bad: float) -> None:
    def spoil(forecast: ForecastBatch) -> None:
        forecast.quantiles[0, 50, 1] = bad

    made = new_outcome(change=spoil)
    told = body(made)
    assert set(told["quantiles"]) == {"idle", "free"}
    assert [breach["target"] for breach in told["breaches"]] == ["idle"]
    assert made.withheld == 1


def test_a_breach_probability_that_is_not_finite_is_withheld(new_outcome: NewOutcome) -> None:
    def spoil(forecast: ForecastBatch) -> None:
        forecast.breach_probability[0, 2] = math.inf

    told = body(new_outcome(change=spoil))
    assert [breach["target"] for breach in told["breaches"]] == ["idle"]
    assert set(told["quantiles"]) == {"disk", "idle", "free"}


@pytest.mark.parametrize("level", [90.0, 93.0])
def test_a_limit_that_is_reached_is_critical_now(new_outcome: NewOutcome, level: float) -> None:
    told = body(new_outcome(window("web1", STEP, disk=level)))
    assert told["risk"] == 100.0
    assert told["level"] == Level.CRITICAL


@pytest.mark.parametrize(("level", "risk"), [(5.1, 1.7), (5.0, 50.0), (1.0, 50.0)])
def test_a_limit_below_is_reached_from_above(new_outcome: NewOutcome, level: float, risk: float) -> None:
    assert body(new_outcome(window("web1", STEP, idle=level)))["risk"] == risk


def test_scores_of_earlier_forecasts_come_with_the_next_one(new_outcome: NewOutcome) -> None:
    told = body(new_outcome(window("web1", STEP, disk=40.0), due=39.5))["scores"]
    assert [(score["lead"], score["residual"]) for score in told] == [(1, 0.5), (12, 0.5), (96, 0.5)]
    assert told[0]["pit"] == pytest.approx(0.7)
    assert STEP_SECONDS == 300


@pytest.mark.parametrize("pit", [0.0, 1e-16, 1.23456e-7, 0.25, 0.5, 0.7, 1 - 1e-9, 1 - 2.0**-53, 1.0])
def test_rounding_keeps_how_far_out_a_value_fell(pit: float) -> None:
    assert min(rounded_pit(pit), 1 - rounded_pit(pit)) == pytest.approx(min(pit, 1 - pit), rel=1e-3)
