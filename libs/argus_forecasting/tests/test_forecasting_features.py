"""What a model sees: the same for the same data wherever it comes from, and nothing from after the origin."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_common.errors import ConfigurationError
from argus_common.metrics import DEFAULT_CATALOGUE
from argus_forecasting.batch import Origins, Request, described, series
from argus_forecasting.features.inputs import WindowInputs, prepare
from argus_forecasting.features.past_days import past_days
from argus_forecasting.features.scaling import Scale
from argus_forecasting.features.schema import FeatureSchema
from argus_forecasting.forecaster import Context, Floats, SeriesBatch
from argus_forecasting.trace_store import TraceStore, build, extent

STEPS = 2400
NAMES = ("cpu_user_pct", "mem_used_pct", "cpu_iowait_pct", "load_average")
SCHEMA = FeatureSchema(300, ("cpu_user_pct", "mem_used_pct"), ("database",), NAMES)


def trace(servers: int = 4, steps: int = STEPS, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    frames = []
    for server in range(servers):
        hours = np.arange(steps) / 12
        values = {
            name: np.clip(40 + 15 * np.sin(2 * np.pi * hours / 24 + i) + rng.normal(0, 5, steps), 0, 100)
            for i, name in enumerate(NAMES)
        }
        profile = "database" if server else "other"
        frames.append(
            pl.DataFrame(
                {"server": f"s{server}", "timestamp": np.arange(steps) * 300_000, "profile": profile, **values}
            )
        )
    return pl.concat(frames).sample(fraction=0.97, seed=seed)


def at_origin(store: TraceStore, metric: str, column: int) -> SeriesBatch:
    servers = np.arange(len(store.servers))
    origins = Origins(servers, np.full(len(servers), column))
    grid = store.grid(metric)
    what = described(metric, DEFAULT_CATALOGUE, Request(96, (0.5,), {}))
    return series(grid.histories(origins.server, origins.column, 2112), grid, origins, what)


def assert_same(one: WindowInputs, other: WindowInputs) -> None:
    for name, values in one.arrays().items():
        np.testing.assert_array_equal(values, other.arrays()[name], err_msg=name)


def test_an_archive_on_disk_gives_the_same_inputs_as_a_trace_in_memory(tmp_path: Path) -> None:
    rows = trace()
    parts = [rows[:5000], rows[5000:]]
    on_disk = build(parts, extent(parts, 300), 300, tmp_path / "store")
    in_memory = TraceStore.of(rows, 300)
    one = prepare(at_origin(on_disk, "mem_used_pct", 2300), SCHEMA).inputs
    assert_same(one, prepare(at_origin(in_memory, "mem_used_pct", 2300), SCHEMA).inputs)


def test_nothing_after_the_origin_changes_an_input() -> None:
    rows = trace()
    known = rows.filter(pl.col("timestamp") <= 2300 * 300_000)
    one = prepare(at_origin(TraceStore.of(rows, 300), "cpu_user_pct", 2300), SCHEMA).inputs
    assert_same(one, prepare(at_origin(TraceStore.of(known, 300), "cpu_user_pct", 2300), SCHEMA).inputs)


def test_inputs_do_not_depend_on_who_else_is_in_the_batch() -> None:
    batch = at_origin(TraceStore.of(trace(), 300), "cpu_user_pct", 2300)
    context = batch.context
    assert context is not None
    alone = replace(
        batch,
        values=batch.values[2:3],
        origin_step=batch.origin_step[2:3],
        lower=batch.lower[2:3],
        upper=batch.upper[2:3],
        limit=batch.limit[2:3],
        harm=batch.harm[2:3],
        context=replace(context, server=context.server[2:3], target=context.target[2:3]),
    )
    together, single = prepare(batch, SCHEMA).inputs, prepare(alone, SCHEMA).inputs
    for name, values in single.arrays().items():
        np.testing.assert_allclose(values[0], together.arrays()[name][2], rtol=1e-5, atol=1e-5, err_msg=name)


def test_unknown_profiles_targets_and_servers_have_the_code_zero_and_missing_metrics_are_zero() -> None:
    batch = at_origin(TraceStore.of(trace(), 300), "load_average", 2300)
    inputs = prepare(batch, SCHEMA).inputs
    assert inputs.profile.tolist() == [0, 1, 1, 1]
    assert inputs.target.tolist() == [0, 0, 0, 0]
    elsewhere = prepare(batch, replace(SCHEMA, covariates=("net_in_mb_s",))).inputs
    assert not elsewhere.covariates.any()
    nobody = prepare(replace(batch, context=None), SCHEMA).inputs
    assert nobody.profile.tolist() == nobody.target.tolist() == [0] * 4
    assert not nobody.fleet.any()


def test_the_fleets_aggregate_is_that_of_the_step_before_the_origin() -> None:
    rows = trace()
    batch = at_origin(TraceStore.of(rows, 300), "cpu_user_pct", 2300)
    before = rows.filter(pl.col("timestamp") == 2299 * 300_000)
    assert batch.context is not None
    values = before["cpu_user_pct"].to_numpy()
    assert batch.context.fleet[:, 0].tolist() == pytest.approx([values.mean()] * 4, rel=1e-5)
    assert batch.context.fleet[:, 2].tolist() == pytest.approx([values.max()] * 4, rel=1e-5)


def test_another_step_than_the_models_is_refused_with_both_named() -> None:
    batch = replace(at_origin(TraceStore.of(trace(), 300), "cpu_user_pct", 2300), step_seconds=60)
    with pytest.raises(ConfigurationError, match="300 s, the data has 60 s"):
        prepare(batch, SCHEMA)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.floats(0.01, 1000), st.floats(-1000, 1000))
def test_scaling_is_undone_by_its_inverse_and_knows_no_unit(seed: int, unit: float, shift: float) -> None:
    values = np.random.default_rng(seed).gamma(0.5, 1.0, (3, 600)).astype(np.float32) * unit + shift
    scale = Scale.of(values, 288)
    back = scale.inverse(scale.forward(values))
    np.testing.assert_allclose(back, values, atol=1e-3 * float(np.abs(values).max()) + 1e-4)


@pytest.mark.parametrize("length", [1, 50, 288, 400, 2112])
def test_past_days_are_finite_and_within_what_was_seen_for_any_length(length: int) -> None:
    values = np.random.default_rng(length).normal(0, 1, (2, length)).astype(np.float32)
    days = past_days(values, 288, SCHEMA.knots)
    assert days.shape == (2, len(SCHEMA.knots), 5)
    assert (days >= values.min() - 1e-4).all()
    assert (days <= values.max() + 1e-4).all()


def test_past_days_hold_the_same_hours_of_the_days_before() -> None:
    values = np.arange(2112, dtype=np.float32)[None]
    yesterday, oldest = past_days(values, 288, (1, 2, 4))[0, :, 0], past_days(values, 288, (1, 2, 4))[0, :, 1]
    np.testing.assert_allclose(yesterday, [1824, 1825, 1826.5])
    np.testing.assert_allclose(oldest, [96, 97, 98.5])


@pytest.mark.parametrize("observed", [0, 1, 30, 700])
def test_young_series_give_finite_inputs(observed: int) -> None:
    values: Floats = np.full((2, 2112), np.nan, np.float32)
    if observed:
        values[:, -observed:] = 7.0
    context = Context(
        np.array([0, 1]),
        np.array([0, -1]),
        ("cpu_user_pct",),
        values[:, None],
        ("", "x"),
        np.full((2, 18), np.nan, np.float32),
    )
    batch = replace(SeriesBatch.plain(values, np.array([2112, 2112]), 300), context=context)
    for name, part in prepare(batch, SCHEMA).inputs.arrays().items():
        assert np.isfinite(part).all(), name
