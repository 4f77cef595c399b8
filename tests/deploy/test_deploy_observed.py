"""Rules and dashboards against the running services: what they name exists, what they ask is answered."""

import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from argus_site import make_site, until
from dashboard_files import BOARDS, Asked, filled_in, queries_of
from deploy_demo import Demo, demo
from deploy_settings import read_yaml
from prometheus_client.parser import text_string_to_metric_families
from prometheus_site import DEPLOYED, Prometheus, alertmanager, prometheus
from promql import series_named, without_filters

from argus_local import Stack
from argus_local.containers import ContainerStack

RULES = [rule for group in read_yaml(DEPLOYED / "rules" / "argus.yaml")["groups"] for rule in group["rules"]]
RECORDED = {rule["record"] for rule in RULES if "record" in rule}
IN_RULES = [Asked(str(rule.get("alert", rule.get("record"))), str(rule["expr"])) for rule in RULES]
IN_BOARDS = [asked for board in BOARDS.values() for asked in queries_of(board)]
SCRAPED = {"up"}
"""Made by Prometheus itself."""
NOT_IN_MINUTES = {
    "Argus / Models and drift: Training now A",
    "Argus / Models and drift: Live loss of the watched version A",
}
"""Queries that a demo of minutes can't answer: nothing is trained in it."""
AFTER_DAYS = {
    "argus_drift_prediction_error_rate",
    "argus_drift_distribution_shift",
    "argus_drift_mean_shift",
    "argus_drift_deviation_ratio",
}
"""Series that compare with the first days of a server, which are not over in a demo of minutes."""
HOURLY = "argus_drift_coverage"


@pytest.fixture(scope="module")
def running(stack: Stack | ContainerStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("observed")
    site = make_site(stack.bootstrap_servers, f"{stack.redis_url.removesuffix('/0')}/7", "observed-", folder)
    with demo(site) as services:
        yield services


@pytest.fixture(scope="module")
def watched(running: Demo, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with prometheus(tmp_path_factory.mktemp("prometheus"), running.targets()) as server:
        until(lambda: len(server.query("rate(argus_ingest_records_total[10s]) > 0")) > 0, "a rate from Prometheus")
        until(lambda: len(server.query("target:argus_forecast_coverage_ratio:avg")) > 0, "a score of a forecast")
        until(lambda: len(server.query("argus_breach_probability_ratio offset 5s")) > 0, "a past")
        yield server


@pytest.fixture(scope="module")
def exposed(running: Demo) -> set[str]:
    """Names of all series on the services' pages, once an hour of event time is over."""
    until(lambda: HOURLY in series_on(running.targets()["argus-drift"]), f"{HOURLY} on drift's page")
    return SCRAPED.union(*(series_on(address) for address in running.targets().values()))


def series_on(address: str) -> set[str]:
    """Names of the series on a service's page."""
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
        families = text_string_to_metric_families(answer.read().decode())
    return {sample.name for family in families for sample in family.samples}


@pytest.mark.parametrize("asked", IN_RULES + IN_BOARDS, ids=lambda asked: asked.place)
def test_every_series_that_is_named_exists(exposed: set[str], asked: Asked) -> None:
    named = series_named(asked.expression)
    assert named or asked.expression.startswith("vector(")
    assert named <= exposed | RECORDED | AFTER_DAYS


@pytest.mark.parametrize("asked", IN_RULES, ids=lambda asked: asked.place)
def test_every_rule_is_evaluated_without_an_error_on_series_that_are_there(watched: Prometheus, asked: Asked) -> None:
    watched.query(asked.expression)
    for series in series_named(asked.expression) - AFTER_DAYS:
        assert watched.query(series), series


@pytest.mark.parametrize("asked", IN_BOARDS, ids=lambda asked: asked.place)
def test_every_query_of_a_dashboard_is_answered_with_data(watched: Prometheus, asked: Asked) -> None:
    if series_named(asked.expression) & AFTER_DAYS:
        pytest.skip("it takes days")
    expression = filled_in(asked.expression, "cpu_used_pct").replace("offset 1h", "offset 5s")
    until(lambda: bool(watched.query(without_filters(expression))), f"data of {expression}", seconds=20)
    watched.query(expression)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_within_minutes_every_panel_has_shown_something(watched: Prometheus) -> None:
    panels = [asked for board in BOARDS.values() for asked in queries_of(board, panels_only=True)]
    waiting = {
        asked.place: filled_in(asked.expression, "cpu_used_pct").replace("offset 1h", "offset 12s")
        for asked in panels
        if not series_named(asked.expression) & AFTER_DAYS
    }

    def shown() -> bool:
        for place, expression in list(waiting.items()):
            if watched.query(expression):
                del waiting[place]
        return waiting.keys() <= NOT_IN_MINUTES

    try:
        until(shown, "every panel to have shown something", seconds=400)
    except AssertionError:
        raise AssertionError(f"nothing was ever shown by {waiting}") from None
    assert waiting.keys() == NOT_IN_MINUTES


def test_every_rule_is_healthy(watched: Prometheus) -> None:
    states = {rule["name"]: rule["health"] for group in watched.ask("rules")["groups"] for rule in group["rules"]}
    assert set(states) == {str(rule.get("alert", rule.get("record"))) for rule in RULES}
    assert set(states.values()) == {"ok"}


def test_prometheus_finds_alertmanager_and_alerts_begin(running: Demo, tmp_path: Path) -> None:
    nobody = dict.fromkeys(running.targets(), "127.0.0.1:9")
    with alertmanager(tmp_path) as told, prometheus(tmp_path, nobody, told.url) as server:
        until(lambda: len(server.query('ALERTS{alertname="ArgusServiceDown"}')) == len(nobody), "pending alerts")
        connected = server.ask("alertmanagers")["activeAlertmanagers"]
        assert [manager["url"] for manager in connected] == [f"{told.url}/api/v2/alerts"]


def test_with_a_service_down_its_consequences_are_not_told(tmp_path: Path) -> None:
    with alertmanager(tmp_path) as told:
        told.fire("ArgusServiceDown", "ArgusLagging", "ArgusDeadLetters")
        until(lambda: told.suppressed() == {"ArgusLagging"}, "the inhibition of ArgusLagging alone")
