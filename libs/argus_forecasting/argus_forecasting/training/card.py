"""The card of a model: what it is, what it was trained on, how good it is, in words and tables."""

from argus_forecasting.trained.artefact import Manifest


def figure(value: float | None) -> str:
    """Three digits; a dash for what is not defined: the error of series that never change, in units of their change.

    >>> figure(0.79151), figure(None)
    ('0.792', '–')
    """
    return "–" if value is None else f"{value:.3f}"


def card(manifest: Manifest) -> str:
    """Markdown."""
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
        *(f"| {name.replace('_', ' ')} | {value} |" for name, value in training.items()),
        "",
        "## Scores on the validation part",
        "",
        "Later than everything trained on. WQL: weighted quantile loss. MASE: each window capped at 10.",
        "Coverage of the 10–90 % band in the thirds of the horizon: 0.80 is right.",
        "",
        "| target | forecaster | WQL | MASE | coverage |",
        "|---|---|---|---|---|",
    ]
    for target in schema.targets:
        for kind, scores in manifest.scores.get(target, {}).items():
            thirds = ", ".join(f"{share:.2f}" for share in scores["coverage_10_90"])
            lines.append(f"| {target} | {kind} | {scores['wql']:.4f} | {figure(scores['mase'])} | {thirds} |")
    blend = manifest.calibration.blend
    lines += ["", f"The network's correction counts {blend:.0%}: chosen on the same part.", ""]
    return "\n".join(lines)
