"""A gate's result for the card of a model."""

from collections.abc import Iterator
from datetime import UTC, datetime

from argus_common.events import GateResult


def gate_text(gate: GateResult) -> str:
    """Markdown, with all numbers."""
    return "\n".join(_lines(gate)).rstrip() + "\n"


def _lines(gate: GateResult) -> Iterator[str]:
    yield "## Gate: " + ("it may serve" if gate.passed else "rejected: " + ", ".join(gate.failed()))
    yield ""
    span = f"{_day(gate.held_out_from_ms)} to {_day(gate.held_out_until_ms)} UTC"
    yield f"On {gate.windows} windows of {gate.servers} servers, {span}, of which nothing was learned."
    yield "Loss: mean pinball loss; every target counts alike."
    yield ""
    yield "| check | passed | figure | bound | |"
    yield "|---|---|---|---|---|"
    for check in gate.checks:
        passed = "yes" if check.passed else "**no**"
        yield f"| {check.name} | {passed} | {_number(check.figure)} | {_number(check.bound)} | {check.detail} |"
    yield ""
    yield "| loss over that of | of | ratio | 90 % interval | windows |"
    yield "|---|---|---|---|---|"
    for one in gate.ratios:
        what = "everything" if one.about == "all" else f"{one.about} {one.name}"
        yield f"| {one.against} | {what} | {one.ratio:.3f} | {one.low:.3f} to {one.high:.3f} | {one.windows} |"
    yield ""
    yield f"| forecaster | coverage of 10–90 % | Brier score of {gate.breaches} breaches |"
    yield "|---|---|---|"
    for name, share in gate.coverage.items():
        yield f"| {name} | {share:.3f} | {_number(gate.brier.get(name))} |"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.4g}"


def _day(moment_ms: int) -> str:
    return f"{datetime.fromtimestamp(moment_ms / 1000, UTC):%Y-%m-%d %H:%M}"
