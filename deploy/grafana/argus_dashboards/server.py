"""Server: each target of a server, what was forecast of it, and what comes."""

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.table import Panel as Table
from grafana_foundation_sdk.builders.timeseries import Panel as TimeSeries

from argus_dashboards.parts import band, board, choice, levels, lines, number, query, rows, table, units

SERVER = 'fleet=~"$fleet", server=~"$server"'
TARGET = f'{SERVER}, target=~"$target"'


def build() -> Dashboard:
    """The dashboard of one server; with several chosen the worst of them counts."""
    made = board(
        "argus-server",
        "Server",
        "One server: its targets with their bands, the next hours, and how likely a limit is crossed.",
        [
            choice("fleet", "Fleet", "label_values(argus_risk_score_ratio, fleet)"),
            choice("server", "Server", 'label_values(argus_risk_score_ratio{fleet=~"$fleet"}, server)', several=False),
            choice("target", "Target", f"label_values(argus_observed{{{SERVER}}}, target)"),
        ],
    )
    for panel in _numbers():
        made.with_panel(panel)
    made.with_row(Row("Targets")).with_panel(_target())
    made.with_row(Row("What comes")).with_panel(_ahead()).with_panel(_probabilities()).with_panel(_times())
    return made.with_panel(_risk())


def _numbers() -> list[Stat]:
    risk = number(
        "Risk", "Of the server now.", "percentunit", query(f"max(argus_risk_score_ratio{{{SERVER}}})"), width=6
    )
    hour = f'max(argus_breach_probability_ratio{{{SERVER}, horizon_seconds="3600"}})'
    shift = f'max(argus_breach_probability_ratio{{{SERVER}, horizon_seconds="28800"}})'
    first = f'min(argus_time_to_threshold_seconds{{{SERVER}, quantile="0.5"}})'
    return [
        risk.thresholds(levels()),
        number("Within an hour", "Probability of the likeliest crossing.", "percentunit", query(hour), width=6),
        number("Within eight hours", "Probability of the likeliest crossing.", "percentunit", query(shift), width=6),
        number("First limit expected in", "+Inf: not within the horizon.", "s", query(first), width=6),
    ]


def _target() -> TimeSeries:
    forecast = 'argus_forecast{fleet=~"$fleet", server=~"$server", target="$target", horizon_seconds="3600", quantile='
    panel = lines(
        "$target",
        "The value, and the 10 to 90 % band and the middle of what had been forecast of it one hour before: the "
        "value should lie in the band four times of five. In the target's own unit.",
        "none",
        query('max(argus_observed{fleet=~"$fleet", server=~"$server", target="$target"})', "observed"),
        query(f'max({forecast}"0.9"}} offset 1h)', "90 %"),
        query(f'max({forecast}"0.5"}} offset 1h)', "forecast an hour before"),
        query(f'max({forecast}"0.1"}} offset 1h)', "10 %"),
    )
    return band(panel, "90 %", "10 %").repeat("target").repeat_direction("h")


def _ahead() -> Table:
    forecast = f"max by (target, horizon_seconds) (argus_forecast{{{TARGET}, quantile="
    found = table(
        "Forecast",
        "By target and how far ahead: the middle, and the limits of the band of 80 %. In the target's own unit.",
        {
            "target": "Target", "horizon_seconds": "Seconds ahead",
            "Value #A": "10 %", "Value #B": "50 %", "Value #C": "90 %", "Value #D": "Limit crossed until then",
        },
        rows(f'{forecast}"0.1"}})', "A"),
        rows(f'{forecast}"0.5"}})', "B"),
        rows(f'{forecast}"0.9"}})', "C"),
        rows(f"max by (target, horizon_seconds) (argus_breach_probability_ratio{{{TARGET}}})", "D"),
        width=12,
    )  # fmt: skip
    return units(found, Limit_crossed_until_then="percentunit")


def _probabilities() -> TimeSeries:
    expression = f'max by (target) (argus_breach_probability_ratio{{{TARGET}, horizon_seconds="28800"}})'
    return (
        lines(
            "Probability that a limit is crossed within eight hours",
            "By target, at any moment until then.",
            "percentunit",
            query(expression, "{{target}}"),
        )
        .max(1)
        .min(0)
    )


def _times() -> TimeSeries:
    expression = f'min by (target) (argus_time_to_threshold_seconds{{{TARGET}, quantile="0.5"}}) < +Inf'
    return lines(
        "Expected time to the limit",
        "By target, where a crossing is expected within the horizon; zero means crossed.",
        "s",
        query(expression, "{{target}}"),
    )


def _risk() -> TimeSeries:
    expression = f"max by (server) (argus_risk_score_ratio{{{SERVER}}})"
    panel = lines("Risk", "In the alert scale's colours.", "percentunit", query(expression, "{{server}}"))
    return panel.min(0).max(1).thresholds(levels())
