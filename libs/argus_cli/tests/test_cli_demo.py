"""What the demo shows and sums up."""

import io
from pathlib import Path

import pytest
import yaml
from alert_events import ended, raised, updated
from cascade_events import STEP, opened
from rich.console import Console, RenderableType

from argus_cli.demo.feeds import SimulatedFeed
from argus_cli.demo.fleet_state import FleetState, worst_breach
from argus_cli.demo.summary import show_summary
from argus_cli.demo.view import Pulse, render, sparkline
from argus_common.events import AlertEvent, Breach, ForecastIssued, ModelReference, TimeToThreshold
from argus_common.levels import Level, level_of
from argus_simulator.domain.fleet import make_fleet

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


def state_of(*forecasts: ForecastIssued) -> FleetState:
    """A state that has seen these."""
    state = FleetState()
    for forecast in forecasts:
        state.add(forecast)
    return state


def watching(*events: AlertEvent) -> FleetState:
    """A state that has heard these since somebody watches, from step 100 on."""
    state = state_of(issued(100, 0.1))
    state.watch()
    for event in events:
        state.hear(event)
    return state


def shown(what: RenderableType, width: int = 160) -> str:
    """The text a console prints."""
    written = io.StringIO()
    Console(file=written, width=width, force_terminal=False).print(what)
    return written.getvalue()


def test_an_alert_that_comes_true_has_its_lead() -> None:
    (only,) = watching(raised(101), ended(101, 122, "hit", crossed=110)).courses()
    assert (only.outcome, only.lead_seconds, only.expected_seconds) == ("hit", 9 * 300, 7200)


def test_an_alert_whose_limit_is_crossed_and_that_still_stands_has_come_true() -> None:
    (only,) = watching(raised(101), updated(101, 110, crossed=110)).courses()
    assert (only.outcome, only.lead_seconds) == ("hit", 9 * 300)


def test_a_crossing_without_an_alert_is_not_counted_as_foretold() -> None:
    (only,) = watching(raised(103, crossed=101)).courses()
    assert (only.outcome, only.lead_seconds, only.expected_seconds) == ("late", None, None)


def test_an_alert_that_stands_is_still_expected_and_one_that_faded_did_not_come() -> None:
    state = watching(raised(101), raised(101, server="web2"), ended(101, 113, "false", server="web2"))
    assert [(one.server, one.outcome) for one in state.courses()] == [("web1", "expected"), ("web2", "false")]


def test_alerts_of_the_time_when_history_was_filling_do_not_count() -> None:
    assert watching(raised(90)).courses() == []
    state = FleetState()
    state.hear(raised(101))
    assert state.courses() == []


def test_an_older_forecast_does_not_replace_a_newer_one() -> None:
    state = state_of(issued(101, 0.1), issued(100, 0.9))
    assert state.latest["web1"].origin == 101
    assert state.forecasts == 2


def test_servers_are_ranked_by_risk_and_counted_by_level() -> None:
    state = state_of(
        issued(1, 0, server="a", risk=10), issued(1, 0, server="b", risk=85), issued(1, 0, server="c", risk=61)
    )
    assert [f.server for f in state.most_at_risk(2)] == ["b", "c"]
    assert state.levels() == {Level.CRITICAL: 1, Level.WARNING: 1, Level.DEGRADED: 0, Level.HEALTHY: 1}


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
    text = shown(render(state_of(issued(5_785_632, 0.8, risk=82)), Pulse(phase="all is well")))
    assert "web1" in text
    assert "80%" in text
    assert "1 critical" in text
    assert "all is well" in text


@pytest.mark.parametrize("width", [80, 100, 160])
def test_no_screen_of_80_columns_or_more_cuts_a_name_or_wraps_a_row(width: int) -> None:
    forecast = issued(5_785_632, 0.8, risk=82, server="ppweb00001").model_copy(
        update={"breaches": [issued(1, 0.8).breaches[0].model_copy(update={"target": "cpu_iowait_pct"})]}
    )
    text = shown(render(state_of(forecast), Pulse(samples=9_999_999, forecasts=99_999, batch_seconds=0.123)), width)
    assert "…" not in text
    row = next(line for line in text.splitlines() if "ppweb00001" in line)
    assert "cpu_iowait_pct" in row
    assert "2.0 h" in row
    assert len(text.splitlines()) == 7


def test_the_summary_tells_what_was_predicted_and_what_happened() -> None:
    late = raised(103, server="web2", crossed=101)
    state = watching(raised(101), ended(101, 122, "hit", crossed=107), late)
    written = io.StringIO()
    console = Console(file=written, width=160, force_terminal=False)
    show_summary(console, state, Pulse(seconds=30, samples=1000))
    text = written.getvalue()
    assert "1 limits were crossed after an alert, 1 without one" in text
    assert "The median alert came 30 min of event time before" in text
    assert "came as foretold" in text
    assert "not foretold" in text


def test_what_spreads_is_on_the_screen_and_in_the_summary() -> None:
    state, written = FleetState(), io.StringIO()
    state.add(issued(STEP, 0.1))
    state.spread(opened())
    assert "cascade warning   2 of 2 unwell since Wed 00:00, spreading, likely from db1 (81%)" in shown(
        render(state, Pulse())
    )
    show_summary(Console(file=written, width=160), state, Pulse())
    assert "1 cascade: servers that turned abnormal together" in written.getvalue()


def test_cascades_of_the_past_that_filled_are_not_summed_up() -> None:
    state = FleetState()
    state.add(issued(STEP + 100, 0.1))
    state.watch()
    state.spread(opened())
    assert state.told_cascades() == []


def test_cascade_is_told_which_simulated_server_uses_which(tmp_path: Path) -> None:
    file = Path(SimulatedFeed(12, 60.0, seed=3).settings(tmp_path)["ARGUS_CASCADE_TOPOLOGY"])
    known = set(make_fleet(12, 3).names)
    edges = yaml.safe_load(file.read_text(encoding="utf-8"))["edges"]
    assert edges
    assert {edge[end] for edge in edges for end in ("source", "target")} <= known
