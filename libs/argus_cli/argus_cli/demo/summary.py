"""What was predicted, what happened."""

from rich.console import Console
from rich.table import Table

from argus_cli.demo.fleet_state import FleetState, Warned
from argus_cli.demo.view import Pulse


def show_summary(console: Console, state: FleetState, pulse: Pulse, step_seconds: int) -> None:
    """Print the summary."""
    outcomes = state.outcomes()
    if outcomes:
        console.print(_table(outcomes, step_seconds))
    warned = [w for w in outcomes if (w.lead_steps() or 0) > 0]
    unseen = [w for w in outcomes if w.crossed is not None and w.warned is None]
    waiting = [w for w in outcomes if w.crossed is None and w.withdrawn is None]
    withdrawn = [w for w in outcomes if w.crossed is None and w.withdrawn is not None]
    console.print(
        f"[bold]{len(warned)}[/] limits were crossed after a warning, [bold]{len(unseen)}[/] without one; "
        f"[bold]{len(waiting)}[/] warnings still stand, [bold]{len(withdrawn)}[/] were withdrawn.",
        highlight=False,
    )
    if warned:
        leads = sorted((w.lead_steps() or 0) * step_seconds / 60 for w in warned)
        median = leads[len(leads) // 2]
        console.print(f"The median warning came [bold]{median:.0f} minutes[/] of event time before.", highlight=False)
    console.print(
        f"{pulse.samples:,.0f} samples became {state.forecasts:,} forecasts of {len(state.latest)} servers "
        f"in {pulse.seconds:.0f} s.",
        highlight=False,
    )


def _table(outcomes: list[Warned], step_seconds: int) -> Table:
    table = Table(title="What was predicted, what happened", title_justify="left")
    for name in ("server", "target", "limit", "warned ahead", "expected in", "outcome"):
        table.add_column(name, justify="right" if name in ("limit", "warned ahead", "expected in") else "left")
    for one in outcomes:
        lead = one.lead_steps()
        table.add_row(
            one.server,
            one.target,
            f"{one.limit:g}",
            "-" if lead is None else f"{lead * step_seconds / 60:.0f} min",
            "-" if one.expected_minutes is None else f"{one.expected_minutes:.0f} min",
            _outcome(one),
        )
    return table


def _outcome(one: Warned) -> str:
    if one.crossed is not None:
        return "[red]crossed[/]" if one.warned is not None else "[red]crossed, not foreseen[/]"
    return "withdrawn" if one.withdrawn is not None else "[yellow]expected[/]"
