"""What is learned while forecasts are served: corrected bands, demotion and return, each step counted once."""

import json
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pytest
from inference_alerts import alert_service
from inference_domain import (
    LEVELS,
    STEP,
    STEP_SECONDS,
    TARGETS,
    InlineExecutor,
    MemoryDisplay,
    MemoryFleets,
    MemoryHistory,
    MemoryLedger,
    MemoryPublisher,
    MemoryTrust,
    StubForecaster,
    serving_of,
    window,
)
from prometheus_client import CollectorRegistry

from argus_common.clock import ManualClock
from argus_common.events import SCORED_LEADS
from argus_forecasting.forecaster import Bands, ForecastBatch, SeriesBatch
from argus_forecasting.online.bands import corrected, scored
from argus_forecasting.statistical import AnalogForecaster
from argus_inference.domain.backlog import Arrived
from argus_inference.domain.serving import Served
from argus_inference.domain.trust import FleetOffsets, Lesson, Remembered, lesson, sources_of, to_be_scored
from argus_inference.domain.trust_rows import packed, unpacked
from argus_inference.metrics import InferenceMetrics
from argus_inference.service import ForecastService, Outside, Plan

TARGET = TARGETS.names.index("disk")
HORIZON = 12
ANALOG = f"{AnalogForecaster.name}@{AnalogForecaster.version}"


class TwoForecasters(StubForecaster):
    """A trained model beside a statistical forecaster, whose quantiles lie ``own`` and ``beside`` apart around 50.

    ``bad``: the model's lie aside, above and below in turn, so that no correction can help it.
    """

    name, version, kind = "web", "1", "residual"
    own, beside, bad = 4.0, 5.0, False

    def forecast(self, batch: SeriesBatch, horizon: int, levels: tuple[float, ...]) -> ForecastBatch:
        made, trust = super().forecast(batch, horizon, levels), batch.trust
        assert trust is not None
        aside = 15.0 * (-1) ** int(batch.origin_step[0]) if self.bad else 0.0
        own, beside = (
            np.tile((centre + apart * np.linspace(-1, 1, len(levels))).astype(np.float32), (len(batch), horizon, 1))
            for centre, apart in ((50 + aside, self.own), (50, self.beside))
        )
        served = corrected(own, levels, trust.own, batch.lower, batch.upper)
        served[trust.demoted] = beside[trust.demoted]
        raw = np.stack([scored(own, SCORED_LEADS), scored(beside, SCORED_LEADS)], axis=1)
        return replace(made, quantiles=served, raw=raw)


@dataclass
class Stream:
    """Servers whose disk is uniform on 45 … 55, step by step."""

    forecaster: TwoForecasters = field(default_factory=TwoForecasters)
    servers: tuple[str, ...] = ("a", "b", "c", "d")
    trust: MemoryTrust = field(default_factory=MemoryTrust)
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    publisher: MemoryPublisher = field(default_factory=MemoryPublisher)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    step: int = STEP

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(1)
        self.serving = serving_of(self.forecaster)
        self.service = self.restarted()

    def restarted(self) -> ForecastService:
        """A service that remembers only what is kept outside."""
        self.registry = CollectorRegistry()
        outside = Outside(
            MemoryHistory(),
            MemoryFleets(),
            self.ledger,
            self.publisher,
            MemoryDisplay(),
            ManualClock((STEP + 1) * STEP_SECONDS * 1000),
            InlineExecutor(),
            trust=self.trust,
        )
        metrics = InferenceMetrics(self.registry, TARGETS.names)
        alerts = alert_service(MemoryPublisher(), clock=outside.clock)
        return ForecastService(Plan(TARGETS, HORIZON, LEVELS, 128), self.serving, outside, metrics, alerts)

    async def run(self, steps: int) -> None:
        """So many more."""
        for _ in range(steps):
            self.step += 1
            await self.service.forecast(self.windows())

    def windows(self) -> list[Arrived]:
        values = self.rng.uniform(45, 55, len(self.servers)).tolist()
        return [
            Arrived(window(name, self.step, disk=value), 0, (self.step + 1) * STEP_SECONDS * 1000)
            for name, value in zip(self.servers, values, strict=True)
        ]

    def last(self) -> list[dict[str, Any]]:
        """The events of the newest step."""
        return [json.loads(record.value) for record in self.publisher.sent[-len(self.servers) :]]

    def rows(self, ago: int = 0) -> list[bytes]:
        """What was learned at the newest step, or so many steps ago."""
        return [rows[self.step - ago].tobytes() for rows in self.trust.rows.values()]

    def demoted(self) -> int:
        """Servers whose disk the statistical forecaster serves, as their events say."""
        return sum(event["model"]["demoted_targets"] == ["disk"] for event in self.last())

    def value(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, {"target": "disk", **labels}) or 0.0


async def test_a_band_that_is_too_narrow_widens_as_values_come() -> None:
    stream = Stream()
    stream.forecaster.own = stream.forecaster.beside = 1.0
    await stream.run(1)
    first = stream.last()[0]["quantiles"]["disk"][0]
    await stream.run(200)
    now = stream.last()[0]["quantiles"]["disk"][0]
    assert first == [49, 50, 51]
    assert now[2] - now[0] > 1.5 * (first[2] - first[0])
    before, after = (stream.value(f"argus_forecast_{what}coverage_ratio", lead="1") for what in ("uncorrected_", ""))
    assert before < 0.35
    assert after > before + 0.1


async def test_a_bad_model_is_demoted_within_half_a_day_and_a_good_one_is_not() -> None:
    good, bad = Stream(), Stream()
    bad.forecaster.bad = True
    await good.run(144)
    await bad.run(144)
    assert (good.demoted(), bad.demoted()) == (0, 4)
    assert (good.value("argus_inference_demoted_series"), bad.value("argus_inference_demoted_series")) == (0, 4)
    told = bad.last()[0]
    assert told["model"]["demoted"]
    assert told["model"]["name"] == "web"
    assert told["quantiles"]["disk"][0] == [45, 50, 55]
    model, statistical = (bad.value(f"argus_forecast_{who}_pinball_loss", lead="1") for who in ("model", "statistical"))
    assert model > 2 * statistical


async def test_a_model_that_became_good_again_returns_and_a_restart_forgets_nothing() -> None:
    stream = Stream()
    stream.forecaster.bad = True
    await stream.run(144)
    stream.service = stream.restarted()
    await stream.run(1)
    assert stream.demoted() == 4
    stream.forecaster.bad, stream.forecaster.beside = False, 20.0
    await stream.run(288)
    assert stream.demoted() == 0
    assert not stream.last()[0]["model"]["demoted"]


async def test_a_step_that_is_told_again_counts_once_and_says_the_same() -> None:
    stream = Stream()
    await stream.run(30)
    stream.step += 1
    again = stream.windows()
    await stream.service.forecast(again)
    told, kept = stream.last(), stream.rows()
    assert all(rows != before for rows, before in zip(kept, stream.rows(1), strict=True)), "the step taught something"
    for service in (stream.service, stream.restarted()):
        await service.forecast(again)
        assert stream.last() == told
        assert stream.rows() == kept


async def test_each_score_says_what_the_model_and_the_statistical_forecaster_lost_by_themselves() -> None:
    stream = Stream()
    stream.forecaster.bad = True
    await stream.run(20)
    (score, *_) = stream.last()[0]["scores"]
    assert (score["target"], score["lead"]) == ("disk", 1)
    assert score["model_pinball"] > 2 * score["statistical_pinball"] > 0


async def test_a_model_that_replaces_a_demoted_one_begins_anew_and_a_rollback_finds_what_was_learned() -> None:
    stream = Stream()
    stream.forecaster.bad = True
    await stream.run(144)
    better, statistical = TwoForecasters(), StubForecaster()
    better.version, statistical.name, statistical.version = "2", "analog", "2"
    for forecaster, demoted in ((better, 0), (statistical, 0), (stream.forecaster, 4)):
        stream.serving.switch(Served.of(forecaster))
        await stream.run(2)
        assert stream.demoted() == demoted
        assert stream.last()[0]["model"]["version"] == forecaster.version
        assert stream.value("argus_inference_demoted_series") == demoted


async def test_what_was_learned_and_lost_means_uncorrected_bands_and_no_error() -> None:
    stream = Stream()
    await stream.run(200)
    stream.trust.rows.clear()
    stream.trust.ledgers.clear()
    stream.service = stream.restarted()
    await stream.run(1)
    assert stream.last()[0]["quantiles"]["disk"][0] == [46, 50, 54]


async def test_a_server_that_joins_is_corrected_as_its_fleet_is() -> None:
    stream = Stream()
    await stream.run(200)
    stream.servers = (*stream.servers, "new")
    await stream.run(1)
    old, new = (stream.last()[i]["quantiles"]["disk"][0] for i in (0, 4))
    assert new[2] - new[0] == pytest.approx(old[2] - old[0], rel=0.25)


@pytest.mark.parametrize(
    ("kind", "sources"),
    [("statistical", ("stub@7",)), ("residual", ("stub@7", ANALOG)), ("tft", ("stub@7", ANALOG))],
)
def test_a_trained_model_is_scored_beside_the_statistical_forecaster(kind: str, sources: tuple[str, ...]) -> None:
    forecaster = StubForecaster()
    forecaster.kind = kind
    assert sources_of(forecaster) == sources


def taught(due: float, value: float, settled: bool = False) -> Lesson:
    """One server after one step, its statistical forecast being due ± 1 in every target."""
    known = Remembered.nothing(1, 1, len(TARGETS.names), len(LEVELS))
    known.due[...] = due + np.linspace(-1, 1, len(LEVELS))
    known.settled[...] = settled
    came = np.full((1, len(TARGETS.names)), value, np.float32)
    return lesson(known, came, "default", ("analog@2",), FleetOffsets(), TARGETS, LEVELS)


def test_a_lesson_scores_the_forecast_that_was_due() -> None:
    seen = taught(due=40, value=41.5)
    assert seen.inside.tolist() == np.zeros((1, 3, 3)).tolist()
    assert seen.loss[0, 0, TARGET].tolist() == pytest.approx(
        [(0.1 * 2.5 + 0.5 * 1.5 + 0.9 * 0.5) / 3 * 1.0] * 3, rel=0.4
    )
    assert (seen.bands[0].offset[TARGET, 0] > 0).all(), "every quantile lay below the value"


def test_a_settled_step_teaches_nothing_more() -> None:
    again = taught(due=40, value=41.5, settled=True)
    assert (again.bands[0].offset == 0).all()
    assert np.isnan(again.bands[0].usual).all()


def test_rows_hold_everything_that_was_learned() -> None:
    lessons = taught(due=40, value=41.5)
    bands, contest = unpacked(lessons.rows[0], len(TARGETS.names), len(LEVELS))
    np.testing.assert_array_equal(bands.offset, lessons.bands[0].offset)
    np.testing.assert_array_equal(bands.usual, lessons.bands[0].usual)
    demoted = replace(contest, demoted=np.array([True, False, True]), evidence=np.array([1, 2, 3], np.float32))
    _, back = unpacked(packed(bands, demoted, 1), len(TARGETS.names), len(LEVELS))
    assert back.demoted.tolist() == [True, False, True]
    assert back.evidence.tolist() == [1, 2, 3]


def test_a_fleet_that_knows_nothing_begins_at_zero_and_follows_its_servers() -> None:
    offsets, shape = FleetOffsets(), (6, len(SCORED_LEADS), len(LEVELS))
    learned = Bands(SCORED_LEADS, np.full(shape, 0.5, np.float32), np.ones(shape[:2], np.float32))
    assert (offsets.of("eu", "analog@2", learned, 3) == 0).all()
    learned.usual[:3, 1] = np.nan
    offsets.add("eu", "analog@2", learned, 3)
    assert (offsets.of("eu", "analog@2", learned, 3) == 0.5).all(), (
        "what the second server does not know does not count"
    )
    assert (offsets.of("us", "analog@2", learned, 3) == 0).all()


def test_what_was_not_seen_is_not_scored_later() -> None:
    batch = TARGETS.batch(np.full((1, 3, 2), 40, np.float32), [window()], TARGETS.limits([window()]))
    trust = taught(40, 40).trust()
    made = StubForecaster().forecast(replace(batch, trust=trust), 96, LEVELS)
    raw = to_be_scored(made, np.array([[True, False, True]]))
    assert raw.shape == (1, 1, 3, len(SCORED_LEADS), len(LEVELS))
    assert np.isnan(raw[0, 0, :, 0, 0]).tolist() == [False, True, False]


def test_a_forecaster_that_does_not_answer_with_its_own_forecasts_is_a_bug() -> None:
    made = StubForecaster().forecast(
        TARGETS.batch(np.full((1, 3, 2), 40, np.float32), [window()], TARGETS.limits([window()])), 96, LEVELS
    )
    with pytest.raises(TypeError, match="uncorrected"):
        to_be_scored(made, np.ones((1, 3), bool))
