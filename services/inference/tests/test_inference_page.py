"""The forecasts on /metrics: valid text, the newest of each server, nothing of servers that are gone or not ours."""

from collections.abc import Callable

import pytest
from inference_domain import LEVELS, STEP, TARGETS, window
from prometheus_client.parser import text_string_to_metric_families

from argus_inference.adapters.prometheus_page import FAMILIES, KEPT_STEPS, ForecastPage
from argus_inference.domain.outcome import Outcome

NewOutcome = Callable[..., Outcome]
Series = dict[tuple[str, frozenset[tuple[str, str]]], float]


def page() -> ForecastPage:
    return ForecastPage(TARGETS, LEVELS)


def series(shown: ForecastPage) -> Series:
    """As Prometheus reads it."""
    families = text_string_to_metric_families(shown.text().decode())
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def value(found: Series, name: str, **labels: str) -> float:
    return found[(name, frozenset({"fleet": "default", "server": "web1", **labels}.items()))]


def servers(shown: ForecastPage) -> set[str]:
    return {dict(labels)["server"] for _, labels in series(shown)}


def test_an_empty_page_names_its_families() -> None:
    families = list(text_string_to_metric_families(page().text().decode()))
    assert [family.name for family in families] == list(FAMILIES)
    assert all(family.documentation and family.type == "gauge" for family in families)


def test_each_family_of_a_server_is_shown(new_outcome: NewOutcome) -> None:
    shown = page()
    shown.update(new_outcome(), [0])
    found = series(shown)
    assert value(found, "argus_forecast", target="disk", horizon_seconds="3600", quantile="0.9") == 41
    assert value(found, "argus_observed", target="free") == 40
    assert value(found, "argus_limit", target="disk") == 90
    assert value(found, "argus_breach_probability_ratio", target="disk", horizon_seconds="28800") == 0.4
    assert value(found, "argus_time_to_threshold_seconds", target="disk", quantile="0.1") == 1800
    assert value(found, "argus_time_to_threshold_seconds", target="disk", quantile="0.5") == float("inf")
    assert value(found, "argus_risk_score_ratio") == pytest.approx(0.3562)
    assert len(found) == 3 * 4 * 3 + 3 + 2 + 2 * 4 + 2 * 3 + 1


def test_the_levels_that_are_shown_are_found_among_more() -> None:
    shown = ForecastPage(TARGETS, (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98))
    assert shown._columns == [1, 3, 5]


def test_a_horizon_beyond_the_forecast_shows_its_last_step(new_outcome: NewOutcome) -> None:
    shown = page()
    shown.update(new_outcome(horizon=2), [0])
    assert value(series(shown), "argus_forecast", target="disk", horizon_seconds="28800", quantile="0.5") == 40


def test_a_newer_forecast_takes_the_place_of_the_earlier_one(new_outcome: NewOutcome) -> None:
    shown = page()
    shown.update(new_outcome(), [0])
    assert value(series(shown), "argus_observed", target="disk") == 40
    shown.update(new_outcome(window("web1", STEP + 1, disk=55.0, idle=40.0, free=40.0)), [0])
    assert value(series(shown), "argus_observed", target="disk") == 55


def test_a_server_that_fell_silent_is_dropped_after_some_steps(new_outcome: NewOutcome) -> None:
    shown = page()
    shown.update(new_outcome(window("gone", STEP)), [0])
    shown.update(new_outcome(window("here", STEP + KEPT_STEPS - 1)), [0])
    assert servers(shown) == {"gone", "here"}
    shown.update(new_outcome(window("here", STEP + KEPT_STEPS)), [0])
    assert servers(shown) == {"here"}


def test_after_a_rebalance_only_servers_of_our_partitions_are_shown(new_outcome: NewOutcome) -> None:
    shown = page()
    shown.update(new_outcome(window("kept"), window("lost")), [0, 1])
    shown.retain([0, 2])
    assert servers(shown) == {"kept"}
    shown.update(new_outcome(window("late"), window("ours")), [1, 2])
    assert servers(shown) == {"kept", "ours"}


def test_a_target_that_was_never_seen_has_no_series(new_outcome: NewOutcome) -> None:
    shown = page()
    shown.update(new_outcome(window("web1", STEP, idle=50.0), window("mute", STEP, noise=1.0)), [0, 0])
    assert {dict(labels).get("target") for _, labels in series(shown)} == {"idle", None}
    assert servers(shown) == {"web1"}


def test_names_are_escaped_as_the_format_wants_it(new_outcome: NewOutcome) -> None:
    shown = page()
    name = 'a"b\\c\nd'
    shown.update(new_outcome(window(name)), [0])
    assert servers(shown) == {name}


def test_the_text_is_rendered_once_however_often_it_is_scraped(new_outcome: NewOutcome) -> None:
    shown = page()
    shown.update(new_outcome(), [0])
    assert shown.text() is shown.text()
