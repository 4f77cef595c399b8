"""Fleet: how is everything, who is at risk, and what comes next."""

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.statushistory import Panel as StatusHistory
from grafana_foundation_sdk.builders.table import Panel as Table
from grafana_foundation_sdk.builders.timeseries import Panel as TimeSeries
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue

from argus_common.levels import COLOURS, FLOORS, Level
from argus_dashboards.parts import board, choice, levels, lines, number, query, rows, strips, table, units

FLEET = 'fleet=~"$fleet"'
RISK = f"argus_risk_score_ratio{{{FLEET}}}"
SHOWN = 30
"""Servers that are shown one by one."""
SERVER_LINK = {
    "title": "To the server",
    "url": "/d/argus-server?var-fleet=${__data.fields.Fleet}&var-server=${__data.fields.Server}&${__url_time_range}",
}


def build() -> Dashboard:
    """The dashboard one starts from."""
    made = board(
        "argus-fleet",
        "Fleet",
        "All servers: their risk now, limits that will be crossed, alerts.",
        [choice("fleet", "Fleet", "label_values(argus_risk_score_ratio, fleet)")],
    )
    for panel in _numbers():
        made.with_panel(panel)
    made.with_row(Row("Who is at risk")).with_panel(_soonest()).with_panel(_strips())
    made.with_row(Row("How it went"))
    return made.with_panel(_by_level()).with_panel(_alerts_open()).with_panel(_raised()).with_panel(_probabilities())


def _numbers() -> list[Stat]:
    at_risk = FLOORS[Level.WARNING] / 100
    worst = number("Highest risk", "Risk of the server that is worst off.", "percentunit", query(f"max({RISK})"))
    open_alerts = "sum(argus_inference_alerts_open)"
    return [
        number("Servers", "Servers with a forecast.", "none", query(f"count({RISK})")),
        number("At risk", "Servers of level warning or critical.", "none", query(f"sum({RISK} >= bool {at_risk})")),
        worst.thresholds(levels()),
        number("Mean risk", "Over all servers.", "percentunit", query(f"avg({RISK})")).thresholds(levels()),
        number("Alerts open", "Limits expected to be crossed, or crossed.", "none", query(open_alerts)),
        number(
            "Raised in a day",
            "Alerts raised in the last 24 hours.",
            "none",
            query("sum(increase(argus_inference_alerts_raised_total[24h]))"),
        ),
    ]


def _soonest() -> Table:
    times = f"argus_time_to_threshold_seconds{{{FLEET}, quantile="
    by = "min by (fleet, server, target)"
    finite = f'{by} ({times}"0.5"}}) < +Inf'
    hour = f'max by (fleet, server, target) (argus_breach_probability_ratio{{{FLEET}, horizon_seconds="3600"}})'
    found = table(
        "Limits that will be crossed, soonest first",
        "Time until a target crosses its limit: the middle of what is expected, and from when to when with 80 %. "
        "Servers for which that is likely within eight hours.",
        {
            "fleet": "Fleet", "server": "Server", "target": "Target",
            "Value #A": "Expected in", "Value #B": "Not before", "Value #C": "At the latest",
            "Value #D": "Within an hour",
        },
        rows(f"sort({finite})", "A"),
        rows(f'{by} ({times}"0.1"}}) and on (fleet, server, target) ({finite})', "B"),
        rows(f'{by} ({times}"0.9"}}) < +Inf and on (fleet, server, target) ({finite})', "C"),
        rows(f"{hour} and on (fleet, server, target) ({finite})", "D"),
    )  # fmt: skip
    units(found, Expected_in="s", Not_before="s", At_the_latest="s", Within_an_hour="percentunit")
    return found.override_by_name("Server", [DynamicConfigValue("links", [SERVER_LINK])])


def _strips() -> StatusHistory:
    worst = f"topk({SHOWN}, max_over_time({RISK}[$__range] @ end()))"
    return strips(
        f"Risk of the {SHOWN} servers that were worst off",
        "One strip per server in the colours of the alert scale; a gap means no forecast.",
        "percentunit",
        query(f"{RISK} and on (fleet, server) {worst}", "{{server}}"),
    )


def _by_level() -> TimeSeries:
    floors = {level: floor / 100 for level, floor in FLOORS.items()}
    degraded, warning, critical = (floors[level] for level in (Level.DEGRADED, Level.WARNING, Level.CRITICAL))
    counts = {
        Level.CRITICAL: f"sum({RISK} >= bool {critical})",
        Level.WARNING: f"sum(({RISK} >= bool {warning}) - ({RISK} >= bool {critical}))",
        Level.DEGRADED: f"sum(({RISK} >= bool {degraded}) - ({RISK} >= bool {warning}))",
    }
    queries = [query(expression, level.value) for level, expression in counts.items()]
    panel = lines("Servers by level", "Healthy ones are not drawn.", "none", *queries)
    for level in counts:
        panel.override_by_name(
            level.value, [DynamicConfigValue("color", {"mode": "fixed", "fixedColor": COLOURS[level]})]
        )
    return panel


def _alerts_open() -> TimeSeries:
    expression = "sum by (target) (argus_inference_alerts_open)"
    return lines("Alerts open", "By target.", "none", query(expression, "{{target}}"))


def _raised() -> TimeSeries:
    return lines(
        "Alerts raised and how they ended, per hour",
        "hit: the limit was crossed after the alert; late: before it; false: not at all; mitigated: someone acted; "
        "unknown: data stopped.",
        "none",
        query("sum(increase(argus_inference_alerts_raised_total[1h]))", "raised"),
        query("sum by (outcome) (increase(argus_inference_alerts_ended_total[1h]))", "{{outcome}}"),
    )


def _probabilities() -> TimeSeries:
    expression = f'max by (target) (argus_breach_probability_ratio{{{FLEET}, horizon_seconds="28800"}})'
    return (
        lines(
            "Most likely crossing within eight hours",
            "By target, of the server where it is most likely.",
            "percentunit",
            query(expression, "{{target}}"),
        )
        .max(1)
        .min(0)
    )
