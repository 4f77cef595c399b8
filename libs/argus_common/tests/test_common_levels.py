import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argus_common.levels import COLOURS, FLOORS, Level, level_of


@pytest.mark.parametrize(
    ("score", "level"),
    [
        (100.0, Level.CRITICAL),
        (80.0, Level.CRITICAL),
        (79.999, Level.WARNING),
        (60.0, Level.WARNING),
        (59.999, Level.DEGRADED),
        (50.0, Level.DEGRADED),
        (49.999, Level.HEALTHY),
        (0.0, Level.HEALTHY),
    ],
)
def test_a_level_begins_at_its_floor(score: float, level: Level) -> None:
    assert level_of(score) is level


def test_a_score_that_is_not_a_number_does_not_look_healthy() -> None:
    with pytest.raises(ValueError, match="not NaN"):
        level_of(math.nan)


@given(st.floats(0, 100), st.floats(0, 100))
def test_a_higher_score_is_never_a_better_level(one: float, other: float) -> None:
    worst_first = list(FLOORS)
    low, high = sorted((one, other))
    assert worst_first.index(level_of(high)) <= worst_first.index(level_of(low))


def test_every_level_has_a_floor_and_a_colour_of_its_own() -> None:
    assert set(FLOORS) == set(Level) == set(COLOURS)
    assert list(FLOORS.values()) == sorted(FLOORS.values(), reverse=True)
    assert len(set(COLOURS.values())) == 4
