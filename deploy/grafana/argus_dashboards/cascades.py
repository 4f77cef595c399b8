"""Cascades: failures that spread, and how the fleets were meanwhile."""

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.timeseries import Panel as TimeSeries
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue, Threshold

from argus_common.levels import COLOURS, Level
from argus_dashboards.parts import board, choice, levels, lines, number, query, thresholds

FLEET = 'fleet=~"$fleet"'


def build() -> Dashboard:
    """The dashboard for when many servers fail at once; who began is on the topic: `argus cascades watch`."""
    made = board(
        "argus-cascades",
        "Cascades",
        "Failures that spread over servers: open ones, how healthy the fleets are, how quickly cascade tells.",
        [choice("fleet", "Fleet", "label_values(argus_cascade_fleet_health, fleet)")],
    )
    for panel in _numbers():
        made.with_panel(panel)
    made.with_row(Row("Fleets")).with_panel(_open()).with_panel(_abnormal()).with_panel(_health()).with_panel(_risk())
    made.with_row(Row("The service")).with_panel(_events()).with_panel(_delay()).with_panel(_forecasts())
    return made.with_panel(_ticks())


def _numbers() -> list[Stat]:
    open_now = number("Open", "Cascades that are open.", "none", query(f"sum(argus_cascade_open{{{FLEET}}})"))
    alarm = thresholds([Threshold(None, COLOURS[Level.HEALTHY]), Threshold(1, COLOURS[Level.CRITICAL])])
    risk = number(
        "Risk", "That a cascade is under way.", "percentunit", query(f"max(argus_cascade_risk_ratio{{{FLEET}}})")
    )
    silenced = query(f"sum(argus_cascade_open_silenced{{{FLEET}}})")
    opened = query('sum(increase(argus_cascade_events_total{kind="opened"}[24h]))')
    return [
        open_now.thresholds(alarm),
        number("Of these silenced", "In a maintenance that was announced.", "none", silenced),
        risk.thresholds(levels()),
        number(
            "Health", "Of the fleet worst off, 0 to 100.", "none", query(f"min(argus_cascade_fleet_health{{{FLEET}}})")
        ),
        number("Watched", "Servers heard of lately.", "none", query(f"sum(argus_cascade_watched_servers{{{FLEET}}})")),
        number("Opened in a day", "Cascades opened in the last 24 hours.", "none", opened),
    ]


def _open() -> TimeSeries:
    asked = query(f"sum by (severity) (argus_cascade_open{{{FLEET}}})", "{{severity}}")
    panel = lines("Open cascades", "By severity.", "none", asked)
    for level in (Level.CRITICAL, Level.WARNING, Level.DEGRADED):
        colour = DynamicConfigValue("color", {"mode": "fixed", "fixedColor": COLOURS[level]})
        panel.override_by_name(level.value, [colour])
    return panel.min(0)


def _abnormal() -> TimeSeries:
    return lines(
        "Abnormal servers",
        "Share of a fleet's servers that behave other than forecast, in the harmful direction.",
        "percentunit",
        query(f"max by (fleet) (argus_cascade_abnormal_ratio{{{FLEET}}})", "{{fleet}}"),
    ).min(0)


def _health() -> TimeSeries:
    asked = query(f"min by (fleet) (argus_cascade_fleet_health{{{FLEET}}})", "{{fleet}}")
    return lines("Health", "Of each fleet, 0 to 100.", "none", asked).min(0).max(100)


def _risk() -> TimeSeries:
    asked = query(f"max by (fleet) (argus_cascade_risk_ratio{{{FLEET}}})", "{{fleet}}")
    return lines("Risk", "How likely a cascade is under way in a fleet.", "percentunit", asked).min(0).max(1)


def _events() -> TimeSeries:
    asked = query("sum by (kind) (increase(argus_cascade_events_total[1h]))", "{{kind}}")
    return lines("Events told, per hour", "Opened, updated and resolved cascades.", "none", asked).min(0)


def _delay() -> TimeSeries:
    def quantiles(histogram: str, name: str) -> str:
        return f"histogram_quantile({name}, sum by (le) (rate({histogram}_bucket[15m])))"

    return lines(
        "Delay",
        "From a step's newest forecast until all that follows from it is acknowledged; large while old data is read.",
        "s",
        query(quantiles("argus_cascade_forecast_to_event_seconds", "0.5"), "median"),
        query(quantiles("argus_cascade_forecast_to_event_seconds", "0.99"), "99 %"),
        query(quantiles("argus_cascade_tick_duration_seconds", "0.99"), "one step of one fleet, 99 %"),
    ).min(0)


def _forecasts() -> TimeSeries:
    return lines(
        "Forecasts per second",
        "Taken; left out since they came after the tick of their step; read before.",
        "short",
        query("sum(rate(argus_cascade_forecasts_total[$__rate_interval]))", "taken"),
        query("sum(rate(argus_cascade_late_forecasts_total[$__rate_interval]))", "late"),
        query("sum(rate(argus_cascade_repeated_forecasts_total[$__rate_interval]))", "repeated"),
    ).min(0)


def _ticks() -> TimeSeries:
    asked = query("sum by (cause) (rate(argus_cascade_ticks_total[$__rate_interval]))", "{{cause}}")
    return lines("Steps per second", "By why they were over.", "short", asked).min(0)
