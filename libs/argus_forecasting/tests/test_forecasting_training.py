"""Training: exact on resume, stopped by a signal, further from where it was, and never on what it is judged by."""

import os
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch

from argus_common.errors import ConfigurationError, ModelUnavailableError
from argus_common.metrics import DEFAULT_CATALOGUE
from argus_forecasting.batch import Origins, Request, described, forecasts
from argus_forecasting.trace_store import TraceStore
from argus_forecasting.trained.artefact import load, read_manifest, require_unaltered
from argus_forecasting.trained.forecaster import TrainedForecaster
from argus_forecasting.trained.networks import Network, NetworkSettings
from argus_forecasting.training.fit import Fitted, fit
from argus_forecasting.training.objective import quantile_loss
from argus_forecasting.training.pools import PoolPlan, Share, Source, TrainingBatches, windows
from argus_forecasting.training.presets import PRESETS, Device, TrainingSettings, auto, device
from argus_forecasting.training.run import Order, Reports, schema_of, train
from argus_forecasting.training.sampling import Sampler, Split, split

TARGETS = ("cpu_used_pct",)
NOW = "2026-01-01T00:00:00Z"
TINY = TrainingSettings(
    NetworkSettings(hidden=16, layers=1),
    steps=8, batch=16, pool=32, passes=2, validate_every=4, validation_windows=32, workers=0,
)  # fmt: skip


@pytest.fixture(scope="module")
def store() -> TraceStore:
    rng = np.random.default_rng(1)
    steps = 10 * 288
    frames = []
    for server in range(4):
        wave = 40 + 20 * np.sin(np.arange(steps) / 288 * 2 * np.pi + server)
        noise = np.convolve(rng.normal(0, 3, steps + 20), np.ones(20) / 5, "valid")[:steps]
        values = {"cpu_used_pct": np.clip(wave + noise, 0, 100), "mem_used_pct": np.full(steps, 50.0)}
        frames.append(pl.DataFrame({"server": f"s{server}", "timestamp": np.arange(steps) * 300_000, **values}))
    return TraceStore.of(pl.concat(frames), 300)


def source_of(store: TraceStore) -> Source:
    schema = schema_of(store, Order("m", "1", NOW, TARGETS, TINY))
    return Source(store, schema, DEFAULT_CATALOGUE, Sampler(store, TARGETS))


def run(
    store: TraceStore,
    folder: Path,
    settings: TrainingSettings = TINY,
    stop_at: int | None = None,
    warm: Network | None = None,
    crash_at: int | None = None,
    seen: list[int] | None = None,
) -> Fitted:
    source = source_of(store)
    parts = split(store, 96, 0.2, 0.0)
    at = source.sampler.draw(parts.validation, settings.validation_windows, 96, np.random.default_rng(0))

    def report(step: int, _steps: int, _losses: dict[str, float]) -> None:
        if seen is not None:
            seen.append(step)
        if step == crash_at:
            raise ZeroDivisionError
        if step == stop_at:
            os.kill(os.getpid(), signal.SIGTERM)

    return fit(source, parts, windows(source, at), settings, folder, report, warm)


def weights(network: Network) -> dict[str, torch.Tensor]:
    return {name: values.detach().clone() for name, values in network.named_parameters()}


def last_weights(folder: Path) -> dict[str, torch.Tensor]:
    state: dict[str, torch.Tensor] = torch.load(folder / "last.ckpt", weights_only=False)["state_dict"]
    return state


def test_a_training_that_was_stopped_goes_on_to_the_very_same_weights(store: TraceStore, tmp_path: Path) -> None:
    whole = run(store, tmp_path / "whole")
    half = run(store, tmp_path / "half", stop_at=5)
    assert half.stopped
    assert half.step == 5
    resumed = run(store, tmp_path / "half")
    assert not resumed.stopped
    assert resumed.step == whole.step == 8
    for one, other in (
        (last_weights(tmp_path / "whole"), last_weights(tmp_path / "half")),
        (weights(whole.network), weights(resumed.network)),
    ):
        assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_training_that_crashed_goes_on_from_its_last_checkpoint_to_the_very_same_weights(
    store: TraceStore, tmp_path: Path
) -> None:
    whole = run(store, tmp_path / "whole")
    with pytest.raises(ZeroDivisionError):
        run(store, tmp_path / "half", crash_at=6)
    steps: list[int] = []
    resumed = run(store, tmp_path / "half", seen=steps)
    assert steps == [5, 6, 7, 8]
    one, other = weights(whole.network), weights(resumed.network)
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_the_same_seed_gives_the_same_model_and_another_seed_another(store: TraceStore, tmp_path: Path) -> None:
    one, same = weights(run(store, tmp_path / "a").network), weights(run(store, tmp_path / "b").network)
    other = weights(run(store, tmp_path / "c", replace(TINY, seed=8)).network)
    assert all(torch.equal(one[name], same[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)


def test_a_warm_start_begins_at_the_given_weights_and_moves_on(store: TraceStore, tmp_path: Path) -> None:
    first = run(store, tmp_path / "first")
    before = weights(first.network)
    further = run(store, tmp_path / "further", replace(TINY, steps=2, learning_rate=1e-6), warm=first.network)
    after = weights(further.network)
    assert not all(torch.equal(before[name], after[name]) for name in before)
    assert all(torch.allclose(before[name], after[name], atol=1e-4) for name in before)


def test_training_ends_when_validation_has_not_gained_for_long(store: TraceStore, tmp_path: Path) -> None:
    still = replace(TINY, steps=100, validate_every=2, patience=2, learning_rate=0.0, weight_decay=0.0)
    ended = run(store, tmp_path, still)
    assert ended.step == 6
    assert not ended.stopped


def test_the_learning_rate_ends_near_zero(store: TraceStore, tmp_path: Path) -> None:
    run(store, tmp_path)
    (optimiser,) = torch.load(tmp_path / "last.ckpt", weights_only=False)["optimizer_states"]
    assert optimiser["param_groups"][0]["lr"] < TINY.learning_rate / 10


def test_gradients_are_clipped(store: TraceStore, tmp_path: Path) -> None:
    plain = replace(TINY, steps=2, weight_decay=0.0)
    begin = weights(run(store, tmp_path / "none", replace(plain, learning_rate=0.0)).network)

    def moved(folder: str, clip: float) -> float:
        after = weights(run(store, tmp_path / folder, replace(plain, clip=clip)).network)
        return max(float((after[name] - begin[name]).abs().max()) for name in begin)

    assert moved("clipped", 1e-12) < moved("free", 1.0) / 100


def test_brain_floats_train_too(store: TraceStore, tmp_path: Path) -> None:
    trained = run(store, tmp_path, replace(TINY, precision="bf16-mixed"))
    assert trained.step == 8
    assert np.isfinite(trained.loss)
    assert all(values.dtype == torch.float32 for values in weights(trained.network).values())


def test_processes_that_train_together_see_different_windows(store: TraceStore) -> None:
    source, span = source_of(store), split(store, 96, 0.2, 0.0).train
    plan = PoolPlan(32, 16, 1, 7)

    def seen(rank: int, of: int, count: int) -> list[bytes]:
        rows = iter(TrainingBatches(source, span, plan, share=Share(rank, of)))
        return [window.numpy().tobytes() for _ in range(count) for window in next(rows)["recent"]]

    together = [set(seen(rank, 2, 4)) for rank in (0, 1)]
    assert len(together[0] & together[1]) < 6  # of 64, drawn from some thousands: by chance
    assert together[0] | together[1] == set(seen(0, 1, 8))


def test_batches_depend_on_their_position_alone(store: TraceStore) -> None:
    source, span = source_of(store), split(store, 96, 0.2, 0.0).train
    plan = PoolPlan(32, 16, 2, 7)

    def row(start: int, count: int) -> list[torch.Tensor]:
        rows = iter(TrainingBatches(source, span, plan, start))
        return [next(rows)["truth"] for _ in range(count)]

    everything = row(0, 7)
    for start in (1, 3, 4, 6):
        for here, there in zip(row(start, 7 - start), everything[start:], strict=True):
            torch.testing.assert_close(here, there, rtol=0, atol=0, equal_nan=True)


def test_some_windows_are_not_told_who_they_are_of(store: TraceStore) -> None:
    source, span = source_of(store), split(store, 96, 0.2, 0.0).train
    told = next(iter(TrainingBatches(source, span, PoolPlan(256, 256, 1, 7, hidden=0.0))))
    some = next(iter(TrainingBatches(source, span, PoolPlan(256, 256, 1, 7, hidden=0.25))))
    assert (told["target"] == 1).all()
    assert 0.1 < (some["target"] == 0).float().mean() < 0.4
    bare = (some["covariates"] == 0).flatten(1).all(dim=1)
    assert 0.1 < bare.float().mean() < 0.4
    torch.testing.assert_close(told["recent"], some["recent"])


def test_spans_are_in_time_order_with_a_horizon_between(store: TraceStore) -> None:
    parts = split(store, 96, 0.2, 0.1)
    assert parts.train.end + 96 <= parts.validation.begin
    assert parts.validation.end + 96 <= parts.test.begin
    assert parts.test.end == store.length
    rng, sampler = np.random.default_rng(0), Sampler(store, TARGETS)
    for span in (parts.train, parts.validation):
        at = sampler.draw(span, 500, 96, rng)
        assert (at.column >= span.begin).all()
        assert (at.column + 96 <= span.end).all()


def test_a_trace_that_is_too_short_is_refused_with_what_it_takes(store: TraceStore) -> None:
    short = replace(store, values=store.values[:, :, :300])
    with pytest.raises(ConfigurationError, match="300 steps is too short to train on"):
        split(short, 96, 0.2, 0.0)


def test_excluded_steps_are_never_learned_from(store: TraceStore) -> None:
    excluded = np.zeros((4, store.length), bool)
    excluded[1] = True
    excluded[2, 1000:1100] = True
    at = Sampler(store, TARGETS, excluded).draw(split(store, 96, 0.2, 0.0).train, 800, 96, np.random.default_rng(0))
    assert 1 not in at.server
    ahead = at.column[at.server == 2][:, None] + np.arange(1, 97)
    assert not ((ahead >= 1000) & (ahead < 1100)).any()


def test_what_was_not_observed_counts_for_nothing_in_the_loss() -> None:
    levels = torch.tensor([0.1, 0.5, 0.9])
    truth = torch.tensor([[1.0, float("nan")], [float("nan"), float("nan")]])
    quantiles = torch.zeros(2, 2, 3, requires_grad=True)
    loss = quantile_loss(quantiles, truth, levels)
    torch.autograd.backward(loss.sum())
    assert loss[1] == 0
    assert loss[0] > 0
    assert quantiles.grad is not None
    assert torch.isfinite(quantiles.grad).all()
    assert not quantiles.grad[:, 1].any()


def test_the_loss_is_least_at_the_quantiles_of_the_truth() -> None:
    levels = torch.tensor([0.1, 0.5, 0.9])
    truth = torch.randn(1, 4001, generator=torch.Generator().manual_seed(0))
    right = torch.quantile(truth[0], levels).expand(1, 4001, 3)
    for shift in (-0.3, 0.3):
        assert quantile_loss(right + shift, truth, levels) > quantile_loss(right, truth, levels)


def quiet() -> Reports:
    return Reports(lambda _text: None, lambda _step, _steps, _losses: None, lambda _done: None)


@pytest.mark.parametrize("family", ["residual", "tft"])
def test_a_trained_version_forecasts(store: TraceStore, tmp_path: Path, family: str) -> None:
    network = NetworkSettings("residual", 16, 1) if family == "residual" else NetworkSettings("tft", 8, 1, 2)
    order = Order("web", "1", NOW, TARGETS, replace(TINY, network=network))
    place, fitted = train(store, DEFAULT_CATALOGUE, order, tmp_path, tmp_path / "work", quiet())
    assert fitted.step == 8
    assert not (tmp_path / "work").exists()
    manifest, _ = load(place)
    assert manifest.scores["cpu_used_pct"]["model"]["wql"] > 0
    assert "| cpu_used_pct | statistical |" in (place / "card.md").read_text()
    forecaster = TrainedForecaster.open(place)
    grid = store.grid("cpu_used_pct")
    request = Request(48, (0.05, 0.1, 0.5, 0.9), {"cpu_used_pct": 70.0})
    origins = Origins(np.arange(4), np.full(4, 2500))
    ((_, result),) = forecasts(
        forecaster, grid, origins, described("cpu_used_pct", DEFAULT_CATALOGUE, request), request
    )
    assert result.quantiles.shape == (4, 48, 4)
    assert np.isfinite(result.quantiles).all()
    assert (np.diff(result.quantiles, axis=2) >= 0).all()
    assert ((result.breach_probability >= 0) & (result.breach_probability <= 1)).all()
    assert (np.diff(result.breach_probability, axis=1) >= 0).all()


def fleet_of(metrics: tuple[str, ...], profile: str) -> TraceStore:
    rng = np.random.default_rng(2)
    times = np.arange(10 * 288) * 300_000
    values = {name: rng.uniform(10, 60, len(times)) for name in metrics}
    return TraceStore.of(pl.DataFrame({"server": "n", "timestamp": times, "profile": profile, **values}), 300)


def test_a_version_trains_further_on_a_fleet_with_other_metrics_and_profiles(tmp_path: Path) -> None:
    old = fleet_of(("cpu_used_pct", "mem_used_pct"), "web_api")
    new = fleet_of(("cpu_used_pct", "queue_length", "load_average"), "database")
    first, _ = train(old, DEFAULT_CATALOGUE, Order("web", "1", NOW, TARGETS, TINY), tmp_path, tmp_path / "w", quiet())
    manifest, network = load(first)
    order = Order("web", "2", NOW, TARGETS, replace(TINY, learning_rate=1e-6), warm=(manifest, network))
    second, _ = train(new, DEFAULT_CATALOGUE, order, tmp_path, tmp_path / "w", quiet())
    further, after = load(second)
    assert further.schema == manifest.schema
    assert further.training["trained_further"] == "web 1"
    theirs = weights(after)
    for name, values in weights(network).items():
        torch.testing.assert_close(values, theirs[name], atol=1e-3, rtol=0)
    assert not all(torch.equal(values, theirs[name]) for name, values in weights(network).items())


def test_a_version_trained_further_for_another_target_tells_how_it_does_on_that_one(tmp_path: Path) -> None:
    old, new = fleet_of(("cpu_used_pct",), "web_api"), fleet_of(("queue_length",), "database")
    first, _ = train(old, DEFAULT_CATALOGUE, Order("web", "1", NOW, TARGETS, TINY), tmp_path, tmp_path / "w", quiet())
    order = Order("web", "2", NOW, ("queue_length",), TINY, warm=load(first))
    second, _ = train(new, DEFAULT_CATALOGUE, order, tmp_path, tmp_path / "w", quiet())
    assert list(read_manifest(second).assessed()) == ["queue_length"]
    assert "| queue_length | model |" in (second / "card.md").read_text(encoding="utf-8")


def test_a_version_of_another_step_or_horizon_does_not_train_further(tmp_path: Path) -> None:
    store = fleet_of(("cpu_used_pct",), "web_api")
    place, _ = train(store, DEFAULT_CATALOGUE, Order("web", "1", NOW, TARGETS, TINY), tmp_path, tmp_path / "w", quiet())
    order = Order("web", "2", NOW, TARGETS, TINY, warm=load(place))
    with pytest.raises(ConfigurationError, match="forecasts 96 steps: leave --horizon out"):
        schema_of(store, replace(order, horizon=48))
    with pytest.raises(ConfigurationError, match="trained on steps of 300 s"):
        schema_of(replace(store, step_seconds=60), order)


def test_a_card_has_pictures_and_facts_that_are_verified(store: TraceStore, tmp_path: Path) -> None:
    order = Order("web", "1", NOW, TARGETS, TINY, notes="Data: simulated.")
    place, _ = train(store, DEFAULT_CATALOGUE, order, tmp_path, tmp_path / "work", quiet())
    manifest = read_manifest(place)
    picture = place / "cpu_used_pct.png"
    assert set(manifest.files) == {"card.md", "cpu_used_pct.png"}
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert picture.stat().st_size < 100_000
    text = (place / "card.md").read_text()
    assert "![cpu_used_pct](cpu_used_pct.png)" in text
    assert text.endswith("Data: simulated.\n")
    assert "| 480 min |" in text
    assert len(manifest.scores["cpu_used_pct"]["model"]["wql_by_lead"]) == 96
    for fact in ("metric_catalogue", "data_fingerprint"):
        assert len(manifest.training[fact]) == 16
    require_unaltered(place, manifest)
    picture.write_bytes(picture.read_bytes()[:-1])
    with pytest.raises(ModelUnavailableError, match=r"cpu_used_pct\.png: sha256 .* altered"):
        require_unaltered(place, manifest)


def test_a_model_that_was_never_validated_says_so(store: TraceStore, tmp_path: Path) -> None:
    steps: list[int] = []

    def stop(step: int, _steps: int, _losses: dict[str, float]) -> None:
        steps.append(step)
        os.kill(os.getpid(), signal.SIGTERM)

    order = Order("web", "1", NOW, TARGETS, TINY)
    reports = Reports(lambda _text: None, stop, lambda _done: None)
    place, fitted = train(store, DEFAULT_CATALOGUE, order, tmp_path, tmp_path / "work", reports)
    assert steps == [1]
    assert fitted.stopped
    assert (tmp_path / "work" / "last.ckpt").exists()
    document = (place / "manifest.json").read_text()
    assert "NaN" not in document
    assert TrainedForecaster.open(place).name == "web"


@pytest.mark.parametrize(
    ("here", "batch", "steps", "precision"),
    [
        (Device(2), 1024, 6000, "32-true"),
        (Device(8, 1, 8 * 2**30, bf16=False), 1024, 6000, "32-true"),
        (Device(8, 1, 24 * 2**30, bf16=True), 2048, 3000, "bf16-mixed"),
        (Device(64, 4, 80 * 2**30, bf16=True), 4096, 1500, "bf16-mixed"),
    ],
)
def test_batch_precision_and_workers_suit_the_device(here: Device, batch: int, steps: int, precision: str) -> None:
    chosen = auto(TrainingSettings(), here)
    assert (chosen.batch, chosen.steps, chosen.precision) == (batch, steps, precision)
    assert chosen.batch * chosen.steps == TrainingSettings().batch * TrainingSettings().steps
    assert chosen.devices == max(here.gpus, 1)
    assert 1 <= chosen.workers * max(here.gpus, 1) < here.cores


def test_no_preset_outlives_the_device_that_is_here() -> None:
    for settings in PRESETS.values():
        chosen = auto(settings, device())
        assert chosen.accelerator == ("cuda" if torch.cuda.is_available() else "cpu")
        assert chosen.network == settings.network


def test_the_parts_of_a_split_are_named_in_time_order() -> None:
    assert list(Split.__dataclass_fields__) == ["train", "validation", "test"]
