"""Rings and windows to series: columns, limits, legal ranges, what is not finite."""

import math

import numpy as np
import pytest
from inference_domain import SMALL, STEP, TARGETS, window

from argus_common.errors import ConfigurationError
from argus_common.metrics import DEFAULT_CATALOGUE, Catalogue
from argus_forecasting.forecaster import Floats
from argus_inference.domain.series import Targets


def rings(*rows: list[float]) -> Floats:
    """(1, time, metric) in the order noise, disk, idle, free."""
    return np.array([rows], np.float32)


def test_the_default_targets_are_the_five_of_the_catalogue() -> None:
    targets = Targets.of(DEFAULT_CATALOGUE)
    assert set(targets.names) == {
        "cpu_iowait_pct", "mem_used_pct", "swap_used_pct", "disk_usage_pct", "cpu_used_pct"
    }  # fmt: skip
    assert [DEFAULT_CATALOGUE.names()[column] for column in targets.columns] == list(targets.names)


def test_a_catalogue_without_a_target_is_refused_with_what_to_do() -> None:
    with pytest.raises(ConfigurationError, match="set `target: true`"):
        Targets.of(Catalogue.model_validate({"metrics": {"noise": {"name": "noise"}}}))


def test_a_limit_is_the_servers_else_the_profiles_else_the_default() -> None:
    windows = [window("web1"), window("db2", STEP, "default", "database"), window("db1", STEP, "default", "database")]
    limits = TARGETS.limits(windows)
    assert limits[:, :2].tolist() == [[90, 5], [98, 5], [98, 2]]
    assert np.isnan(limits[:, 2]).all()


def test_the_targets_columns_become_series_with_time_last() -> None:
    values = TARGETS.values(rings([9, 1, 2, 3], [9, 4, 5, 6]), [window("web1", STEP, disk=7, idle=8, free=9)])
    assert values.tolist() == [[[1, 7], [2, 8], [3, 9]]]


def test_the_window_itself_is_the_last_column_even_where_the_ring_was_lost() -> None:
    lost = np.full((1, 2, 4), np.nan, np.float32)
    values = TARGETS.values(lost, [window("web1", STEP, disk=7.0)])
    assert values[0, 0, 1] == 7
    assert np.isnan(values).sum() == 5


def test_what_is_not_finite_counts_as_missing() -> None:
    values = TARGETS.values(rings([0, math.inf, -math.inf, 3], [0, 4, 5, 6]), [window("web1", STEP, free=1e300)])
    assert np.isnan(values[0, :, 0]).tolist() == [True, True, False]
    assert np.isnan(values[0, :, 1]).tolist() == [True, True, True]


def test_a_batch_has_one_series_per_server_and_target_with_its_range_limit_and_harm() -> None:
    windows = [window("web1"), window("db1")]
    values = np.arange(2 * 3 * 4, dtype=np.float32).reshape(2, 3, 4)
    batch = TARGETS.batch(values, windows, TARGETS.limits(windows))
    assert batch.values[3].tolist() == [12, 13, 14, 15]
    assert batch.lower.tolist() == [0, 0, -math.inf] * 2
    assert batch.upper.tolist() == [100, math.inf, math.inf] * 2
    assert batch.limit[[0, 1, 3, 4]].tolist() == [90, 5, 90, 2]
    assert batch.harm.tolist() == [1, -1, 1] * 2
    assert set(batch.origin_step.tolist()) == {STEP}
    assert batch.step_seconds == 300


def test_harm_and_severity_follow_the_catalogue() -> None:
    assert TARGETS.names == ("disk", "idle", "free")
    assert TARGETS.severity().tolist() == [1.0, 0.5, 1.0]
    assert SMALL.names()[0] == "noise"
