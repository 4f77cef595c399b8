"""Risk: near zero on a calm fleet, near a hundred before a breach, the same meaning on every server."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from argus_inference.domain.risk import risk_scores

chance = st.floats(0, 1, width=32)
limits = st.integers(1, 5)


def risk(
    probability: list[list[float]], crossed: list[bool] | None = None, severity: list[float] | None = None
) -> float:
    targets = len(probability)
    scores = risk_scores(
        np.array([probability], np.float32),
        np.array([crossed or [False] * targets]),
        np.array(severity or [1.0] * targets, np.float32),
    )
    return float(scores[0])


@pytest.mark.parametrize(
    ("probability", "expected"),
    [
        ([0.0, 0.0, 0.0, 0.0], 0.0),
        ([0.0, 0.0, 0.0, 0.02], 1.3),
        ([0.0, 0.0, 0.0, 1.0], 65.0),
        ([0.0, 0.0, 1.0, 1.0], 80.0),
        ([0.0, 1.0, 1.0, 1.0], 95.0),
        ([1.0, 1.0, 1.0, 1.0], 100.0),
        ([0.0, 0.5, 0.6, 0.9], 58.5),
    ],
)
def test_a_breach_soon_counts_more_than_one_later(probability: list[float], expected: float) -> None:
    assert risk([probability]) == pytest.approx(expected, abs=1e-4)


def test_the_severity_of_the_limit_weighs_it() -> None:
    assert risk([[1.0] * 4], severity=[0.8]) == pytest.approx(80.0, abs=1e-4)


def test_a_limit_that_is_crossed_is_certain_whatever_the_forecast_says() -> None:
    assert risk([[0.0] * 4], crossed=[True]) == 100.0
    assert risk([[0.1] * 4], crossed=[True], severity=[0.9]) == pytest.approx(90.0, abs=1e-4)


def test_doubtful_limits_add_up_like_independent_risks() -> None:
    assert risk([[0.5] * 4, [0.5] * 4]) == pytest.approx(75.0, abs=1e-4)


def test_a_limit_that_is_not_there_adds_nothing() -> None:
    assert risk([[float("nan")] * 4, [0.5] * 4]) == pytest.approx(50.0, abs=1e-4)


@st.composite
def servers(draw: st.DrawFn) -> tuple[list[list[float]], list[bool], list[float]]:
    targets = draw(limits)
    return (
        [draw(st.lists(chance, min_size=4, max_size=4)) for _ in range(targets)],
        draw(st.lists(st.booleans(), min_size=targets, max_size=targets)),
        draw(st.lists(st.floats(0.0625, 1, width=32), min_size=targets, max_size=targets)),
    )


@given(servers())
def test_risk_lies_between_zero_and_a_hundred(server: tuple[list[list[float]], list[bool], list[float]]) -> None:
    assert 0 <= risk(*server) <= 100


@given(servers(), st.integers(0, 4), st.integers(0, 3), chance)
def test_risk_never_falls_when_a_probability_rises(
    server: tuple[list[list[float]], list[bool], list[float]], target: int, within: int, value: float
) -> None:
    probability, crossed, severity = server
    before = risk(probability, crossed, severity)
    row = probability[target % len(probability)]
    row[within] = max(row[within], value)
    assert risk(probability, crossed, severity) >= before - 1e-9


@given(servers(), st.integers(0, 4))
def test_risk_never_falls_when_a_limit_is_crossed(
    server: tuple[list[list[float]], list[bool], list[float]], target: int
) -> None:
    probability, crossed, severity = server
    before = risk(probability, crossed, severity)
    crossed[target % len(crossed)] = True
    assert risk(probability, crossed, severity) >= before - 1e-9


@given(servers(), st.randoms())
def test_the_order_of_the_limits_does_not_matter(
    server: tuple[list[list[float]], list[bool], list[float]], chance: object
) -> None:
    rows = list(zip(*server, strict=True))
    chance.shuffle(rows)  # type: ignore[attr-defined]
    probability, crossed, severity = (list(column) for column in zip(*rows, strict=True))
    assert risk(probability, crossed, severity) == pytest.approx(risk(*server), abs=1e-9)


@given(servers())
def test_no_server_is_judged_by_its_neighbours(server: tuple[list[list[float]], list[bool], list[float]]) -> None:
    probability, crossed, severity = server
    calm = [[0.0] * 4] * len(probability)
    both = risk_scores(
        np.array([calm, probability], np.float32),
        np.array([[False] * len(crossed), crossed]),
        np.array(severity, np.float32),
    )
    assert both.tolist() == [0.0, risk(probability, crossed, severity)]
