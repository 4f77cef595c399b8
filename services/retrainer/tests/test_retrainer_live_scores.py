"""How quiet fleets are, and how a version does once it serves."""

import json
from dataclasses import dataclass

import pytest

from argus_common.events import ModelPromoted
from argus_retrainer.aftercare import Aftercare
from argus_retrainer.domain.cascades import SILENT_MS, OpenCascades
from argus_retrainer.domain.fleet_risk import FleetRisk
from argus_retrainer.domain.live_scores import HOUR_MS, LiveScores, WatchRules
from argus_retrainer.domain.retention import superfluous

STEP = 5_785_632
RULES = WatchRules(least=50)
NOW = HOUR_MS


@dataclass(frozen=True)
class Told:
    value: bytes | None


def forecast(step: int, model: float | None, statistical: float | None, version: str = "2", risk: float = 0.0) -> Told:
    score = {
        "target": "cpu_used_pct",
        "lead": 1,
        "pit": 0.5,
        "model_pinball": model,
        "statistical_pinball": statistical,
    }
    body = {
        "fleet": "eu",
        "server": "a",
        "origin": step,
        "step_seconds": 300,
        "risk": risk,
        "model": {"name": "fleet", "version": version, "kind": "residual"},
        "quantiles": {"cpu_used_pct": [[1, 2, 3]]},
        "scores": [score],
    }
    return Told(json.dumps(body).encode())


def promotion(version: str = "2", at_ms: int = 0) -> ModelPromoted:
    return ModelPromoted(model="fleet", version=version, family="residual", manifest_sha256="0" * 64, promoted_ms=at_ms)


def watched(ratio: float, steps: int = 100) -> Aftercare:
    care = Aftercare("fleet", RULES)
    care.watch(promotion(), NOW)
    care.on_forecasts([forecast(STEP + i, ratio, 1.0) for i in range(steps)])
    return care


@pytest.mark.parametrize(("ratio", "worse"), [(0.8, False), (1.14, False), (1.16, True)])
def test_a_version_that_is_worse_by_more_than_the_bound_shall_not_serve(ratio: float, worse: bool) -> None:
    care = watched(ratio)
    assert care.ratio() == pytest.approx(ratio)
    assert care.worse() is worse


def test_nothing_is_said_before_the_whole_span_was_seen() -> None:
    assert watched(3.0, steps=72).ratio() is None
    assert watched(3.0, steps=73).worse()


def test_only_the_last_hours_count() -> None:
    care = watched(3.0, steps=40)
    care.on_forecasts([forecast(STEP + i, 0.9, 1.0) for i in range(40, 140)])
    assert care.ratio() == pytest.approx(0.9)


def test_after_a_day_drift_is_the_one_to_tell() -> None:
    care = watched(0.9, steps=288)
    care.on_forecasts([forecast(STEP + i, 3.0, 1.0) for i in range(289, 400)])
    assert not care.worse()


def test_every_target_counts_alike() -> None:
    scores = LiveScores("2")
    for i in range(100):
        scores.add("a", i * 300_000, 2000.0, 1000.0)
        scores.add("b", i * 300_000, 0.5, 1.0)
        scores.add("idle", i * 300_000, 0.0, 0.0)
    assert scores.ratio(RULES) == pytest.approx(1.0)


def test_scores_of_another_version_and_of_no_model_say_nothing() -> None:
    care = Aftercare("fleet", RULES)
    care.on_forecasts([forecast(STEP, 3.0, 1.0)])
    care.watch(promotion(), NOW)
    care.on_forecasts([forecast(STEP + i, 3.0, 1.0, version="1") for i in range(100)])
    care.on_forecasts([forecast(STEP + i, None, None) for i in range(100)])
    assert care.ratio() is None
    care.on_forecasts([Told(b"{"), Told(None), Told(b"{}")])
    assert care.unreadable == 3


def test_another_promotion_is_watched_anew_and_a_rollback_ends_it() -> None:
    care = watched(3.0)
    care.watch(promotion(), NOW)
    assert care.worse(), "told again it is the same"
    care.watch(promotion("3"), NOW)
    assert care.ratio() is None
    care.watch(None, NOW)
    assert (care.ratio(), care.worse()) == (None, False)


def test_a_promotion_of_long_ago_is_not_watched_after_a_restart() -> None:
    care = Aftercare("fleet", RULES)
    care.watch(promotion(), RULES.watch_ms + 1)
    care.on_forecasts([forecast(STEP + i, 3.0, 1.0) for i in range(100)])
    assert care.ratio() is None


def test_forecasts_are_read_again_since_a_promotion_that_is_watched() -> None:
    care, now = Aftercare("fleet", RULES), 100 * HOUR_MS
    quarter = now - HOUR_MS // 4
    assert care.since_ms(None, now) == quarter
    assert care.since_ms(promotion(at_ms=now - 2 * HOUR_MS), now) == now - 2 * HOUR_MS
    assert care.since_ms(promotion(at_ms=now - 25 * HOUR_MS), now) == quarter
    assert care.since_ms(promotion(at_ms=now - 1), now) == quarter


def test_a_fleet_is_as_quiet_as_its_newest_forecasts() -> None:
    risk = FleetRisk()
    assert risk.at_risk() is None
    for server, origin, value in (("a", 0, 90.0), ("b", 0, 10.0), ("a", 300_000, 10.0), ("a", 0, 99.0)):
        risk.add("eu", server, origin, value)
    assert risk.at_risk() == 0.0
    risk.add("us", "x", 0, 60.0)
    assert risk.at_risk() == 1.0, "the worst fleet counts"
    risk.add("us", "y", 2 * HOUR_MS, 10.0)
    assert risk.at_risk() == 0.0, "x has stopped reporting"


def test_a_cascade_is_open_until_it_is_resolved_or_nobody_speaks_of_it() -> None:
    cascades = OpenCascades()
    cascades.stands("c1", 1000)
    cascades.stands("c2", 2000)
    cascades.stands("c1", 500)
    assert cascades.open(2000) == ("c1", "c2")
    cascades.resolved("c2")
    cascades.resolved("unheard of")
    assert cascades.open(1000 + SILENT_MS - 1) == ("c1",)
    assert cascades.open(1000 + SILENT_MS) == ()


@pytest.mark.parametrize(
    ("served", "keep", "gone"),
    [((), 2, ("1", "2")), (("1", "4"), 1, ("2", "3")), (("0", "1", "2"), 2, ()), ((), 9, ())],
)
def test_old_versions_go_but_never_what_serves_or_served_before(
    served: tuple[str, ...], keep: int, gone: tuple[str, ...]
) -> None:
    assert superfluous(("1", "2", "3", "4"), served, keep) == gone
