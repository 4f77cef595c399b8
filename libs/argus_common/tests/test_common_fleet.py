import math

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from argus_common.fleet import FLEET_METRICS, FleetSums

NAMES = ("load_average", "mem_used_pct", "uptime_days", "cpu_user_pct", "cpu_iowait_pct")
"""Another order than the sums', and one metric that they do not know."""

Values = npt.NDArray[np.float64]

percent = st.integers(0, 400).map(lambda quarter: quarter / 4)  # exact in binary, so that sums do not depend on order
rows = st.lists(st.lists(percent | st.just(math.nan), min_size=len(NAMES), max_size=len(NAMES)), max_size=6)


def table(servers: list[list[float]]) -> Values:
    return np.asarray(servers, np.float64).reshape(-1, len(NAMES))


def same(one: FleetSums, other: FleetSums) -> bool:
    return np.array_equal(one.sums, other.sums)


@given(rows, rows, rows)
def test_how_servers_are_split_over_partitions_does_not_matter(
    a: list[list[float]], b: list[list[float]], c: list[list[float]]
) -> None:
    whole = FleetSums.of(table(a + b + c), NAMES)
    parts = [FleetSums.of(table(part), NAMES) for part in (a, b, c)]
    assert same(parts[0].merge(parts[1]).merge(parts[2]), whole)
    assert same(parts[0].merge(parts[1].merge(parts[2])), whole)
    assert same(parts[2].merge(parts[1]).merge(parts[0]), whole)


@given(rows)
def test_no_server_changes_nothing(servers: list[list[float]]) -> None:
    sums = FleetSums.of(table(servers), NAMES)
    assert same(sums.merge(FleetSums.none()), sums)
    assert same(FleetSums.of(table([]), NAMES), FleetSums.none())


@given(rows)
def test_bytes_are_read_back(servers: list[list[float]]) -> None:
    sums = FleetSums.of(table(servers), NAMES)
    assert len(sums.to_bytes()) == 160
    assert same(FleetSums.from_bytes(sums.to_bytes()), sums)


def test_bytes_of_another_layout_are_refused() -> None:
    with pytest.raises(ValueError, match="fleet sums of 8 bytes, expected 160"):
        FleetSums.from_bytes(bytes(8))


def test_merging_leaves_its_parts_as_they_are() -> None:
    one = FleetSums.of(table([[1, 2, 3, 4, 5]]), NAMES)
    before = one.to_bytes()
    one.merge(one)
    assert one.to_bytes() == before


def test_features_are_those_of_all_servers_together() -> None:
    values = table([[1, 50, 0, 70, 0], [3, 90, 0, 90, 20], [math.nan, 86, 0, 80, 16]])
    features = FleetSums.of(values, NAMES).features()
    assert features["fleet_load_average_mean"] == 2
    assert features["fleet_load_average_std"] == pytest.approx(math.sqrt(2))
    assert features["fleet_load_average_max"] == 3
    assert features["fleet_cpu_user_pct_mean"] == 80
    assert features["fleet_cpu_user_pct_std"] == 10
    assert features["fleet_share_high_cpu_user_pct"] == pytest.approx(1 / 3)  # 80 itself is not above 80
    assert features["fleet_share_high_mem_used_pct"] == pytest.approx(2 / 3)
    assert features["fleet_share_high_cpu_iowait_pct"] == pytest.approx(2 / 3)
    assert len(features) == 3 * len(FLEET_METRICS) + 3


def test_what_can_not_be_known_is_nan() -> None:
    nothing = FleetSums.none().features()
    assert all(math.isnan(nothing[f"fleet_{name}_{what}"]) for name in FLEET_METRICS for what in ("mean", "std", "max"))
    assert nothing["fleet_share_high_cpu_user_pct"] == 0
    alone = FleetSums.of(table([[1, 2, 3, 4, 5]]), NAMES).features()
    assert alone["fleet_load_average_mean"] == 1
    assert math.isnan(alone["fleet_load_average_std"])
