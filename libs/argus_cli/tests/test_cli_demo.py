"""What the demo shows and sums up."""

import io
from collections.abc import Mapping

import pytest
from rich.console import Console, RenderableType

from argus_cli.demo.fleet_state import FleetState, worst_breach
from argus_cli.demo.summary import show_summary
from argus_cli.demo.view import Pulse, render, sparkline, time_to_limit
from argus_common.events import Breach, ForecastIssued, ModelReference, TimeToThreshold
from argus_common.levels import Level, level_of

LEVELS = (0.1, 0.5, 0.9)


def issued(
    origin: int, probability: float, value: float = 50.0, server: str = "web1", risk: float = 10.0
) -> ForecastIssued:
    """A forecast of CPU with a limit of 90."""
    breach = Breach(
        target="cpu_used_pct",
        limit=90,
        probability={"15m": 0.0, "1h": 0.0, "4h": probability / 2, "8h": probability},
        time_to_threshold=TimeToThreshold(p10=3600, p50=7200, p90=None),
    )
    return ForecastIssued(
        fleet="default",
        server=server,
        origin=origin,
        step_seconds=300,
        model=ModelReference(name="analog", version="1"),
        observed={"cpu_used_pct": value},
        levels=LEVELS,
        quantiles={"cpu_used_pct": [[value, value, value + lead] for lead in range(96)]},
        breaches=[breach],
        risk=risk,
        level=level_of(risk),
    )


def watching(*forecasts: ForecastIssued) -> FleetState:
    """A state that has seen these."""
    state = FleetState(watching=True)
    for forecast in forecasts:
        state.add(forecast)
    return state


def shown(what: RenderableType, width: int = 160) -> str:
    """The text a console prints."""
    written = io.StringIO()
    Console(file=written, width=width, force_terminal=False).print(what)
    return written.getvalue()


def test_a_warning_that_comes_true_has_its_lead() -> None:
    state = watching(issued(100, 0.1), issued(101, 0.7), issued(102, 0.9), issued(110, 0.99, value=93))
    (only,) = state.outcomes()
    assert (only.warned, only.crossed, only.lead_steps()) == (101, 110, 9)
    assert only.expected_minutes == 120


def test_a_crossing_without_a_warning_is_not_counted_as_foreseen() -> None:
    (only,) = watching(issued(100, 0.2), issued(101, 0.99, value=95)).outcomes()
    assert (only.warned, only.crossed, only.lead_steps()) == (None, 101, None)


def test_a_warning_that_fades_is_withdrawn() -> None:
    (only,) = watching(issued(100, 0.6), issued(101, 0.1)).outcomes()
    assert (only.warned, only.crossed, only.withdrawn) == (100, None, 101)


def test_nothing_counts_while_history_is_filling() -> None:
    state = FleetState()
    state.add(issued(100, 0.9))
    assert state.outcomes() == []
    assert state.newest_origin() == 100


def test_an_older_forecast_does_not_replace_a_newer_one() -> None:
    state = watching(issued(101, 0.1), issued(100, 0.9))
    assert state.latest["web1"].origin == 101
    assert state.forecasts == 2


def test_servers_are_ranked_by_risk_and_counted_by_level() -> None:
    state = watching(
        issued(1, 0, server="a", risk=10), issued(1, 0, server="b", risk=85), issued(1, 0, server="c", risk=61)
    )
    assert [f.server for f in state.most_at_risk(2)] == ["b", "c"]
    assert state.levels() == {Level.CRITICAL: 1, Level.WARNING: 1, Level.DEGRADED: 0, Level.HEALTHY: 1}


@pytest.mark.parametrize(
    ("times", "text"),
    [
        ({}, "-"),
        ({"p10": 1800}, "30 min at the earliest"),
        ({"p10": 1800, "p50": 3600, "p90": 10_800}, "60 min (30 min to 3.0 h)"),
        ({"p10": 1800, "p50": 3600}, "60 min (30 min to later)"),
    ],
)
def test_time_to_limit_is_told_in_words(times: Mapping[str, float], text: str) -> None:
    breach = Breach(target="x", limit=1, probability={}, time_to_threshold=TimeToThreshold(**times))
    assert time_to_limit(breach) == text


def test_the_sparkline_turns_red_where_the_limit_lies_within_the_band() -> None:
    forecast = issued(1, 0.5, value=50)
    breach = worst_breach(forecast)
    assert breach is not None
    line = sparkline(forecast, breach)
    styles = [str(span.style) for span in line.spans]
    assert len(line.plain) == 24
    assert styles[0] == "green"
    assert styles[-1] == "red"


def test_the_screen_names_the_server_at_risk_its_limit_and_its_probability() -> None:
    text = shown(render(watching(issued(5_785_632, 0.8, risk=82)), Pulse(phase="all is well")))
    assert "web1" in text
    assert "80%" in text
    assert "1 critical" in text
    assert "all is well" in text


@pytest.mark.parametrize("width", [80, 100, 160])
def test_no_screen_of_80_columns_or_more_cuts_a_name_or_wraps_a_row(width: int) -> None:
    forecast = issued(5_785_632, 0.8, risk=82, server="ppweb00001").model_copy(
        update={"breaches": [issued(1, 0.8).breaches[0].model_copy(update={"target": "cpu_iowait_pct"})]}
    )
    text = shown(render(watching(forecast), Pulse(samples=9_999_999, forecasts=99_999, batch_seconds=0.123)), width)
    assert "…" not in text
    row = next(line for line in text.splitlines() if "ppweb00001" in line)
    assert "cpu_iowait_pct" in row
    assert "2.0 h" in row
    assert len(text.splitlines()) == 7


def test_the_summary_tells_what_was_predicted_and_what_happened() -> None:
    state = watching(issued(100, 0.7), issued(106, 0.99, value=93))
    written = io.StringIO()
    console = Console(file=written, width=160, force_terminal=False)
    show_summary(console, state, Pulse(seconds=30, samples=1000), 300)
    text = written.getvalue()
    assert "1 limits were crossed after a warning, 0 without one" in text
    assert "30 minutes" in text
