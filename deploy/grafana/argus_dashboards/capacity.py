"""Capacity and cost: how much room is left, when it is used up, and what alerts were worth by stated assumptions."""

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.table import Panel as Table
from grafana_foundation_sdk.builders.timeseries import Panel as TimeSeries
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue, Threshold

from argus_common.levels import COLOURS, Level
from argus_dashboards.fleet import SERVER_LINK, SHOWN
from argus_dashboards.parts import (
    assumption,
    board,
    choice,
    lines,
    number,
    one_of,
    query,
    rows,
    table,
    thresholds,
    units,
)

CHOSEN = 'fleet=~"$fleet", server=~"$server", target=~"$target"'
STORED = 'fleet=~"$fleet", server=~"$server", target=~"mem_used_pct|disk_usage_pct"'
WITHIN = "by (fleet, server, target)"
LIMIT = f"max {WITHIN} (argus_limit{{{CHOSEN}}})"
PEAK = f'max {WITHIN} (argus_forecast{{{CHOSEN}, quantile="0.9", horizon_seconds="28800"}})'
AHEAD = f"(1 - {PEAK} / {LIMIT})"
"""Share of its limit that a target leaves free in eight hours, where it goes as high as is likely (90 %)."""
TIGHT, ENOUGH = 0.1, 0.2
LEADS = {f"{minutes} minutes": f"{minutes * 60}.0" for minutes in (15, 5, 10, 30, 60, 120)}
"""What is chosen → the bucket of the histogram of lead times."""


def build() -> Dashboard:
    """The dashboard of whoever plans, and of whoever pays."""
    made = board(
        "argus-capacity",
        "Capacity and cost",
        "Headroom below the limits, memory and disks that run out, and what the alerts were worth.",
        [
            choice("fleet", "Fleet", "label_values(argus_risk_score_ratio, fleet)"),
            choice("server", "Server", 'label_values(argus_risk_score_ratio{fleet=~"$fleet"}, server)'),
            choice("target", "Target", "label_values(argus_limit, target)"),
            assumption("cost", "Cost of an incident hour", "In your currency; an assumption of yours.", "5000"),
            assumption("hours", "Hours of an incident", "How long one lasts that nobody saw coming.", "2"),
            one_of("needed", "Warning needed", "Told later than this, nothing can be done any more.", LEADS),
        ],
    )
    for panel in _room():
        made.with_panel(panel)
    made.with_row(Row("Headroom")).with_panel(_by_fleet()).with_panel(_least()).with_panel(_tightest())
    made.with_row(Row("Memory and disks that run out")).with_panel(_runs_out()).with_panel(_expected())
    made.with_row(Row("Incident hours, by the assumptions above"))
    for number_panel in _worth():
        made.with_panel(number_panel)
    return made.with_panel(_hours()).with_panel(_outcomes())


def _room() -> list[Stat]:
    def servers(condition: str) -> str:
        return f"count(min by (fleet, server) ({AHEAD}) {condition}) or vector(0)"

    few = thresholds([Threshold(None, COLOURS[Level.HEALTHY]), Threshold(1, COLOURS[Level.WARNING])])
    soon = f'count(min by (fleet, server) (argus_time_to_threshold_seconds{{{STORED}, quantile="0.5"}}) < +Inf)'
    middle = f"quantile(0.5, min by (fleet, server) ({AHEAD}))"
    return [
        number("Servers", "With a forecast and a limit.", "none", query(servers("> -Inf")), width=6),
        number("Middle headroom", "Half of the servers have less left.", "percentunit", query(middle), width=6),
        number(
            "Tight", f"Servers that will have less than {TIGHT:.0%} of a limit left.", "none",
            query(servers(f"< {TIGHT}")), width=6,
        ).thresholds(few),
        number(
            "Running out", "Servers whose memory or disk is expected to be full within eight hours, or is.", "none",
            query(f"{soon} or vector(0)"), width=6,
        ).thresholds(few),
    ]  # fmt: skip


def _by_fleet() -> TimeSeries:
    middle = f"quantile by (fleet, target) (0.5, {AHEAD})"
    return lines(
        "Middle headroom by fleet",
        "Share of the limit that is left in eight hours, at the upper edge of the forecast; half of a fleet's servers "
        "have less. For limits that hurt from above.",
        "percentunit",
        query(middle, "{{fleet}} {{target}}"),
    ).max(1)


def _least() -> TimeSeries:
    return lines(
        "Least headroom by fleet",
        "Of the server that has least left; below zero the limit will probably be crossed.",
        "percentunit",
        query(f"min by (fleet, target) ({AHEAD})", "{{fleet}} {{target}}"),
    ).max(1)


def _tightest() -> Table:
    observed = f"max {WITHIN} (argus_observed{{{CHOSEN}}})"
    chosen = f"bottomk({SHOWN}, {AHEAD})"
    found = table(
        f"The {SHOWN} tightest",
        "Share of its limit that a target leaves free: now, and in eight hours at the upper edge of the forecast.",
        {
            "fleet": "Fleet", "server": "Server", "target": "Target",
            "Value #A": "In eight hours", "Value #B": "Now", "Value #C": "Limit",
        },
        rows(f"sort({chosen})", "A"),
        rows(f"(1 - {observed} / {LIMIT}) and on (fleet, server, target) ({chosen})", "B"),
        rows(f"{LIMIT} and on (fleet, server, target) ({chosen})", "C"),
    )  # fmt: skip
    units(found, In_eight_hours="percentunit", Now="percentunit")
    colours = thresholds(
        [
            Threshold(None, COLOURS[Level.CRITICAL]),
            Threshold(0, COLOURS[Level.WARNING]),
            Threshold(TIGHT, COLOURS[Level.DEGRADED]),
            Threshold(ENOUGH, COLOURS[Level.HEALTHY]),
        ]
    )
    painted = [
        DynamicConfigValue("custom.cellOptions", {"type": "color-text"}),
        DynamicConfigValue("thresholds", colours.build()),
    ]
    found.override_by_name("In eight hours", painted)
    return found.override_by_name("Server", [DynamicConfigValue("links", [SERVER_LINK])])


def _runs_out() -> Table:
    left = f"max {WITHIN} (argus_limit{{{STORED}}}) - max {WITHIN} (argus_observed{{{STORED}}})"
    pace = f"clamp_min(({left}) / (max {WITHIN} (deriv(argus_observed{{{STORED}}}[$__range])) > 0), 0)"
    times = f"argus_time_to_threshold_seconds{{{STORED}, quantile="
    found = table(
        "Memory and disks, soonest full first",
        "By the pace of the time that is shown, drawn on as a straight line; and by the forecast, which knows the "
        "day's rhythm and looks eight hours ahead (empty: not within these). Choose a longer time for disks.",
        {
            "fleet": "Fleet", "server": "Server", "target": "Target",
            "Value #A": "At this pace", "Value #B": "Forecast", "Value #C": "Not before",
        },
        rows(f"sort(bottomk({SHOWN}, {pace}))", "A"),
        rows(f'min {WITHIN} ({times}"0.5"}}) < +Inf', "B"),
        rows(f'min {WITHIN} ({times}"0.1"}}) < +Inf', "C"),
    )  # fmt: skip
    units(found, At_this_pace="s", Forecast="s", Not_before="s")
    return found.override_by_name("Server", [DynamicConfigValue("links", [SERVER_LINK])])


def _expected() -> TimeSeries:
    times = f'argus_time_to_threshold_seconds{{{STORED}, quantile="0.5"}}'
    return lines(
        "Servers expected to run out",
        "Within eight hours, by what runs out; a server that is full already counts.",
        "none",
        query(f"count by (target) (min {WITHIN} ({times}) < +Inf)", "{{target}}"),
        width=24,
    ).min(0)


def _ended(outcome: str) -> str:
    return f'sum(increase(argus_inference_alerts_ended_total{{target=~"$target", outcome="{outcome}"}}[$__range]))'


def _in_time(span: str) -> str:
    """Hits that were told long enough before."""
    lead = 'argus_inference_alert_lead_time_seconds_{}{{target=~"$target"{}}}[{}]'
    hits, late = lead.format("count", "", span), lead.format("bucket", ', le="$needed"', span)
    return f"(sum(increase({hits})) - sum(increase({late})))"


def _worth() -> list[Stat]:
    span = "$__range"
    return [
        number(
            "Avoided", "Incident hours: alerts that ended as mitigated, by the hours of an incident. Of the time "
            "shown, all fleets.", "h", query(f"{_ended('mitigated')} * $hours"),
        ),
        number("Saved", "Hours avoided by the cost of one.", "short", query(f"{_ended('mitigated')} * $hours * $cost")),
        number(
            "Could be avoided", "Incident hours that were told early enough, and nobody said that someone acted "
            "(argus alerts mitigate).", "h", query(f"{_in_time(span)} * $hours"),
        ),
        number("Could be saved", "These by the cost of an hour.", "short", query(f"{_in_time(span)} * $hours * $cost")),
        number("Told too late", "Incident hours that were told after the crossing, or with too little warning.", "h",
            query(f"({_ended('hit')} + {_ended('late')} - {_in_time(span)}) * $hours"),
        ),
        number("False alarms", "Alerts whose limit was not crossed: each costs somebody a look.", "none",
            query(_ended("false")),
        ),
    ]  # fmt: skip


def _hours() -> TimeSeries:
    mitigated = 'sum(increase(argus_inference_alerts_ended_total{target=~"$target", outcome="mitigated"}[1d]))'
    return lines(
        "Incident hours by day",
        "Over the day before each moment: avoided, and told early enough to be avoided.",
        "h",
        query(f"{mitigated} * $hours", "avoided"),
        query(f"{_in_time('1d')} * $hours", "could be avoided"),
    ).min(0)


def _outcomes() -> TimeSeries:
    ended = 'sum by (outcome) (increase(argus_inference_alerts_ended_total{target=~"$target"}[1d]))'
    return lines(
        "How alerts ended by day",
        "Over the day before each moment. hit: the limit was crossed after the alert; late: before it; false: not at "
        "all; mitigated: someone acted; unknown: data stopped.",
        "none",
        query(ended, "{{outcome}}"),
    ).min(0)
