"""What a swap does with good models, bad ones, and ones that are not there yet."""

import gc
import weakref
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pytest
from inference_domain import LEVELS, TARGETS, InlineExecutor, MemoryPublisher, ReadRecord, StubForecaster
from model_site import add_version
from prometheus_client import CollectorRegistry

from argus_common.clock import ManualClock
from argus_common.errors import ConfigurationError, ModelUnavailableError
from argus_common.events import Event, ModelPromoted, ModelRolledBack, encode
from argus_forecasting.features.schema import FeatureSchema
from argus_forecasting.forecaster import ForecastBatch, SeriesBatch
from argus_forecasting.trained.store import ModelStore
from argus_inference.adapters.model_shelf import StoreShelf, of_settings
from argus_inference.domain.serving import Served, Serving, misfit
from argus_inference.metrics import InferenceMetrics
from argus_inference.promotions import PromotionHandler
from argus_inference.settings import InferenceSettings
from argus_inference.swap import Demands, ModelSwap

SHA = "a" * 64
HORIZON = 96


def schema(step_seconds: int = 300, horizon: int = HORIZON) -> FeatureSchema:
    return FeatureSchema(step_seconds, TARGETS.names, (), (), horizon)


def model(version: str, fits: FeatureSchema | None = None, forecaster: StubForecaster | None = None) -> Served:
    made = forecaster or StubForecaster()
    made.name, made.version, made.kind = "fleet", version, "residual"
    return Served.of(made, fits or schema())


class Broken(StubForecaster):
    """Its forecasts are not finite."""

    def forecast(self, batch: SeriesBatch, horizon: int, levels: tuple[float, ...]) -> ForecastBatch:
        made = super().forecast(batch, horizon, levels)
        made.quantiles[0, 0, 0] = np.nan
        return made


class Crashing(StubForecaster):
    """A bug."""

    def forecast(self, batch: SeriesBatch, horizon: int, levels: tuple[float, ...]) -> ForecastBatch:
        raise ZeroDivisionError(len(batch), horizon, levels)


@dataclass
class MemoryShelf:
    """A `ModelShelf` of a dictionary."""

    models: dict[str, Served] = field(default_factory=dict)
    asked: list[str | None] = field(default_factory=list)

    def holds(self, name: str, version: str) -> bool:
        return name == "fleet" and version in self.models

    def open(self, name: str, version: str, sha256: str | None) -> Served:
        self.asked.append(sha256)
        assert name == "fleet"
        return self.models[version]

    def of_settings(self) -> Served:
        return Served.of(StubForecaster())


@dataclass
class Bench:
    shelf: MemoryShelf = field(default_factory=MemoryShelf)
    clock: ManualClock = field(default_factory=lambda: ManualClock(0))
    publisher: MemoryPublisher = field(default_factory=MemoryPublisher)
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    ring_steps: int = 2304

    def __post_init__(self) -> None:
        first = Served.of(StubForecaster())
        self.serving = Serving(first, first)
        metrics = InferenceMetrics(self.registry, TARGETS.names)
        demands = Demands(HORIZON, LEVELS, self.ring_steps)
        swap = ModelSwap(self.shelf, self.serving, demands, InlineExecutor(), metrics, self.clock)
        self.handler = PromotionHandler("fleet", swap, self.publisher, metrics)

    async def hear(self, *events: Event) -> None:
        records = [encode(event, "/argus/test") for event in events]
        await self.handler.on_records([ReadRecord(i, r.value, 0, r.headers) for i, r in enumerate(records)])

    @property
    def serves(self) -> str:
        return f"{self.serving.now.reference.name} {self.serving.now.reference.version}"

    def swaps(self) -> dict[str, float]:
        series = "argus_inference_model_swaps_total"
        found = {o: self.registry.get_sample_value(series, {"outcome": o}) for o in ("swapped", "missing", "refused")}
        return {outcome: count for outcome, count in found.items() if count}


def promoted(version: str, model: str = "fleet", previous: str | None = None) -> ModelPromoted:
    return ModelPromoted(
        model=model, version=version, family="residual", manifest_sha256=SHA, previous_version=previous, promoted_ms=1
    )


def rolled_back(version: str | None) -> ModelRolledBack:
    return ModelRolledBack(model="fleet", version=version, withdrawn_version="9", rolled_back_ms=2)


async def test_an_empty_topic_leaves_what_the_settings_name() -> None:
    bench = Bench()
    await bench.hear()
    assert (bench.serves, bench.swaps()) == ("stub 7", {})


async def test_a_promoted_version_serves_and_is_told() -> None:
    bench = Bench(MemoryShelf({"1": replace(model("1"), created=60.0)}))
    await bench.hear(promoted("1"))
    assert (bench.serves, bench.swaps()) == ("fleet 1", {"swapped": 1})
    assert bench.shelf.asked == [SHA]
    assert bench.registry.get_sample_value("argus_model_created_timestamp_seconds") == 60
    labels = {"name": "fleet", "version": "1", "kind": "residual"}
    assert bench.registry.get_sample_value("argus_model_info", labels) == 1


async def test_of_many_events_only_the_newest_of_our_model_is_loaded() -> None:
    bench = Bench(MemoryShelf({version: model(version) for version in "123"}))
    await bench.hear(promoted("1"), promoted("2"), rolled_back("1"), promoted("3"), promoted("2", model="other"))
    assert (bench.serves, bench.swaps()) == ("fleet 3", {"swapped": 1})


async def test_the_newest_event_alone_decides_once_the_older_ones_are_gone() -> None:
    bench = Bench(MemoryShelf({"7": model("7"), "8": model("8")}))
    await bench.hear(promoted("8", previous="7"))
    assert bench.serves == "fleet 8"


async def test_the_same_promotion_heard_again_changes_nothing() -> None:
    bench = Bench(MemoryShelf({"1": model("1")}))
    for _ in range(2):
        await bench.hear(promoted("1"))
    assert (bench.serves, bench.swaps()) == ("fleet 1", {"swapped": 1})


async def test_a_rollback_serves_the_version_before_or_what_the_settings_name() -> None:
    bench = Bench(MemoryShelf({"1": model("1"), "2": model("2")}))
    await bench.hear(promoted("2"))
    await bench.hear(rolled_back("1"))
    assert bench.serves == "fleet 1"
    await bench.hear(rolled_back(None))
    assert (bench.serves, bench.swaps()) == ("stub 7", {"swapped": 3})


@pytest.mark.parametrize(
    "bad",
    [
        model("2", schema(horizon=48)),
        model("2", schema(step_seconds=60)),
        model("2", forecaster=Broken()),
        model("2", forecaster=Crashing()),
    ],
    ids=["short horizon", "other step", "not finite", "crashes"],
)
async def test_a_version_that_can_not_serve_leaves_the_old_one_serving(bad: Served) -> None:
    bench = Bench(MemoryShelf({"1": model("1"), "2": bad}))
    await bench.hear(promoted("1"))
    bench.serving.of_step(300)
    await bench.hear(promoted("2"))
    assert (bench.serves, bench.swaps()) == ("fleet 1", {"swapped": 1, "refused": 1})


async def test_a_model_that_looks_further_back_than_the_rings_reach_is_refused() -> None:
    bench = Bench(MemoryShelf({"1": model("1")}), ring_steps=StubForecaster.history_steps - 1)
    await bench.hear(promoted("1"))
    assert (bench.serves, bench.swaps()) == ("stub 7", {"refused": 1})


def test_a_misfit_is_told_with_what_to_compare() -> None:
    assert misfit(model("1"), 96, 2304, 300) is None
    assert misfit(model("1"), 96, 2304, None) is None
    assert misfit(model("1", schema(horizon=48)), 96, 2304, 300) == (
        "it forecasts 48 steps, ARGUS_INFERENCE_HORIZON_STEPS is 96"
    )
    assert misfit(model("1"), 96, 2304, 60) == "it was trained on steps of 300 s, the windows have 60 s"
    assert misfit(model("1"), 96, 11, 300) == "it looks at 12 steps, ARGUS_INFERENCE_RING_STEPS is 11"


async def test_a_version_that_is_missing_is_looked_for_every_five_seconds() -> None:
    bench = Bench()
    await bench.hear(promoted("1"))
    assert (bench.serves, bench.swaps()) == ("stub 7", {"missing": 1})
    bench.shelf.models["1"] = model("1")
    await bench.handler.on_pause()
    assert bench.serves == "stub 7"
    bench.clock.advance(5)
    await bench.handler.on_pause()
    assert (bench.serves, bench.swaps()) == ("fleet 1", {"missing": 1, "swapped": 1})


async def test_a_newer_event_ends_the_search_for_a_missing_version() -> None:
    bench = Bench(MemoryShelf({"2": model("2")}))
    await bench.hear(promoted("1"))
    await bench.hear(promoted("2"))
    bench.shelf.models["1"] = model("1")
    bench.clock.advance(60)
    await bench.handler.on_pause()
    assert bench.serves == "fleet 2"


async def test_windows_of_another_step_length_are_forecast_by_the_stand_in_and_told_of_once() -> None:
    bench = Bench(MemoryShelf({"1": model("1", schema(step_seconds=60))}))
    await bench.hear(promoted("1"))
    assert bench.serving.of_step(60).reference.version == "1"
    assert bench.serving.of_step(300).reference.name == "stub"
    for _ in range(2):
        await bench.handler.on_pause()
    assert bench.swaps() == {"swapped": 1, "refused": 1}


def test_a_model_that_the_settings_name_takes_whatever_comes() -> None:
    named = replace(Served.of(StubForecaster(), schema(step_seconds=60)), asked_for=True)
    assert Serving(named, Served.of(StubForecaster())).of_step(300) is named


async def test_what_can_not_be_read_is_dead_lettered_and_the_rest_is_followed() -> None:
    bench = Bench(MemoryShelf({"1": model("1")}))
    good = encode(promoted("1"), "/argus/test")
    other = [("ce_type", b"io.argus.training.started.v1")]
    await bench.handler.on_records(
        [
            ReadRecord(0, b"{", 0, good.headers),
            ReadRecord(1, b"{}", 0, other),
            ReadRecord(2, good.value, 0, good.headers),
        ]
    )
    assert bench.serves == "fleet 1"
    assert [dict(letter.headers)["argus_reason"] for letter in bench.publisher.buried] == [b"not_json"]
    assert bench.registry.get_sample_value("argus_inference_dead_letters_total", {"reason": "not_json"}) == 1


def test_nothing_keeps_the_old_model() -> None:
    old = model("1")
    serving, gone = Serving(old, Served.of(StubForecaster())), weakref.ref(old.forecaster)
    del old
    serving.switch(model("2"))
    gc.collect()
    assert gone() is None


def test_a_model_of_the_settings_needs_rings_that_are_long_enough(tmp_path: Path) -> None:
    place = add_version(ModelStore(tmp_path), "1")
    short = InferenceSettings(model=place, ring_steps=288, history_steps=240)
    with pytest.raises(ConfigurationError, match="ARGUS_INFERENCE_RING_STEPS is too small"):
        of_settings(short)
    served = of_settings(InferenceSettings(model=place))
    assert served.asked_for
    assert served.label == {"name": "fleet", "version": "1", "kind": "residual"}


def test_a_shelf_opens_what_its_store_holds_and_nothing_else(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    add_version(store, "1")
    shelf = StoreShelf(InferenceSettings(), store)
    assert shelf.open("fleet", "1", store.sha256("fleet", "1")).reference.version == "1"
    assert shelf.of_settings().reference.kind == "statistical"
    assert [shelf.holds("fleet", version) for version in ("1", "2", "../fleet/1")] == [True, False, False]
    with pytest.raises(ModelUnavailableError, match="altered"):
        shelf.open("fleet", "1", SHA)
