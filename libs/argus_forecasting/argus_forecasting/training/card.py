"""The card of a model: what it is, what it was trained on, how good it is, in words and tables."""

from collections.abc import Iterator

from argus_forecasting.calibration import SPANS_MINUTES
from argus_forecasting.trained.artefact import Manifest

ENOUGH_IN_BIN = 100
"""Windows in a bin of probabilities before its reliability is judged."""


def figure(value: float | None) -> str:
    """Three digits; a dash for what is not defined: the error of series that never change, in units of their change.

    >>> figure(0.79151), figure(None)
    ('0.792', '–')
    """
    return "–" if value is None else f"{value:.3f}"


def card(manifest: Manifest, pictures: tuple[str, ...] = (), notes: str = "") -> str:
    """Markdown. ``pictures``: file names beside the card. ``notes``: Markdown for its end."""
    schema, training = manifest.schema, manifest.training
    lines = [
        f"# {manifest.name} {manifest.version}",
        "",
        f"A {manifest.network.family} network that corrects the statistical forecast.",
        "",
        "| | |",
        "|---|---|",
        f"| created | {manifest.created} |",
        f"| horizon | {schema.horizon} steps of {schema.step_seconds} s |",
        f"| quantiles | {schema.levels[0]:g} to {schema.levels[-1]:g} |",
        f"| targets | {', '.join(schema.targets)} |",
        f"| other metrics looked at | {', '.join(schema.covariates) or 'none'} |",
        f"| profiles | {', '.join(schema.profiles) or 'none'} |",
        *(f"| {name.replace('_', ' ')} | {_words(value)} |" for name, value in training.items()),
        "",
        "## Scores on the validation part",
        "",
        "Later than everything trained on. WQL: weighted quantile loss. MASE: each window capped at 10.",
        "Coverage of the 10–90 % band in the thirds of the horizon: 0.80 is right. Relative: WQL over the statistical",
        "forecaster's, with a 90 % interval from drawing servers and days again; below 1 is better.",
        "",
        "| target | forecaster | WQL | MASE | coverage | relative |",
        "|---|---|---|---|---|---|",
        *_forecasts(manifest),
        "",
        f"The network's correction counts {manifest.calibration.blend:.0%}: chosen on the same part.",
        "",
        *_by_lead(manifest),
        *_breaches(manifest),
        *(f"![{name.removesuffix('.png')}]({name})\n" for name in pictures),
        notes.strip(),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _words(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {inner}" for name, inner in value.items())
    return "–" if value in (None, "") else str(value)


def _forecasts(manifest: Manifest) -> Iterator[str]:
    relative = manifest.scores.get("relative", {})
    for target, found in manifest.assessed().items():
        for kind, scores in found.items():
            thirds = ", ".join(f"{share:.2f}" for share in scores["coverage_10_90"])
            ratio = relative.get(target, {}).get("wql") if kind == "model" else None
            shown = "" if ratio is None else f"{ratio[0]:.2f} ({ratio[1]:.2f} to {ratio[2]:.2f})"
            yield f"| {target} | {kind} | {scores['wql']:.4f} | {figure(scores['mase'])} | {thirds} | {shown} |"


def _by_lead(manifest: Manifest) -> list[str]:
    schema = manifest.schema
    leads = sorted({min(max(round(m * 60 / schema.step_seconds), 1), schema.horizon) for m in SPANS_MINUTES})
    spans = [f"{lead * schema.step_seconds / 60:g} min" for lead in leads]
    lines = [
        "## By lead: WQL, and coverage of the 10–90 % band",
        "",
        f"| target | forecaster | {' | '.join(spans)} |",
        "|---|---" + "|---" * len(leads) + "|",
    ]
    for target, found in manifest.assessed().items():
        for kind, scores in found.items():
            cells = [f"{scores['wql_by_lead'][k - 1]:.3f}, {scores['coverage_by_lead'][k - 1]:.2f}" for k in leads]
            lines.append(f"| {target} | {kind} | {' | '.join(cells)} |")
    return [*lines, ""]


def _breaches(manifest: Manifest) -> list[str]:
    lines = [
        "## Breach probabilities",
        "",
        "Of a made-up limit, the 97 % quantile of the week before, of all targets together. Each half of the servers",
        "is judged by the calibration of the other.",
        "",
        "| within | happened | Brier skill | largest reliability gap |",
        "|---|---|---|---|",
    ]
    for within, breach in manifest.scores.get("breach", {}).items():
        gaps = [abs(said - share) for said, share, count in breach["reliability"] if count >= ENOUGH_IN_BIN]
        skill = figure(breach["brier_skill"])
        lines.append(f"| {within} | {breach['base_rate']:.1%} | {skill} | {max(gaps, default=0):.2f} |")
    return [*lines, ""]
