"""What was predicted, what happened."""

from statistics import median

from rich.console import Console
from rich.table import Table

from argus_cli.alerts.view import OUTCOME_STYLES, OUTCOME_WORDS
from argus_cli.cascades.view import headline
from argus_cli.demo.fleet_state import Course, FleetState
from argus_cli.demo.view import Pulse
from argus_common.durations import told


def show_summary(console: Console, state: FleetState, pulse: Pulse) -> None:
    """Print the summary."""
    courses = state.courses()
    if courses:
        console.print(_table(courses))
    count = {outcome: sum(one.outcome == outcome for one in courses) for outcome in (*OUTCOME_WORDS, "expected")}
    console.print(
        f"[bold]{count['hit']}[/] limits were crossed after an alert, [bold]{count['late']}[/] without one; "
        f"[bold]{count['expected']}[/] alerts still stand, [bold]{count['false']}[/] did not come true.",
        highlight=False,
    )
    leads = [one.lead_seconds for one in courses if one.lead_seconds is not None]
    if leads:
        ahead = told(median(leads))
        console.print(f"The median alert came [bold]{ahead}[/] of event time before the crossing.", highlight=False)
    told_cascades = state.told_cascades()
    if told_cascades:
        many = f"[bold]{len(told_cascades)}[/] cascade{'s' if len(told_cascades) > 1 else ''}"
        console.print(f"{many}: servers that turned abnormal together", highlight=False)
    for one in told_cascades:
        console.print(headline(one), highlight=False)
    console.print(
        f"{pulse.samples:,.0f} samples became {state.forecasts:,} forecasts of {len(state.latest)} servers "
        f"in {pulse.seconds:.0f} s.",
        highlight=False,
    )


def _table(courses: list[Course]) -> Table:
    table = Table(title="What was predicted, what happened", title_justify="left")
    for name in ("server", "target", "limit", "expected in", "came after", "outcome"):
        table.add_column(name, justify="right" if name in ("limit", "expected in", "came after") else "left")
    for one in courses:
        style = OUTCOME_STYLES.get(one.outcome, "")
        table.add_row(
            one.server,
            one.target,
            f"{one.limit:g}",
            "-" if one.expected_seconds is None else told(one.expected_seconds),
            "-" if one.lead_seconds is None else told(one.lead_seconds),
            f"[{style}]{OUTCOME_WORDS[one.outcome]}[/]" if style else "still expected",
        )
    return table
