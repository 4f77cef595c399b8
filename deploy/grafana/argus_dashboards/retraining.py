"""The panels of the retrainer: is a model trained, what came of the last ones, is there enough to learn from."""

from grafana_foundation_sdk.builders.timeseries import Panel as TimeSeries

from argus_dashboards.parts import dashed, lines, query

MARKS = {
    "model.promoted": ("Model promoted", "green"),
    "model.rejected": ("Gate not passed", "yellow"),
    "model.rolled_back": ("Model rolled back", "red"),
    "training.failed": ("Training failed", "dark-red"),
}
"""Outcome → how it is marked in every panel, and the colour."""


def happened(outcome: str) -> str:
    """Has a value where a training or a version ended so."""
    return f'sum(changes(argus_retrainer_outcomes_total{{outcome="{outcome}"}}[$__rate_interval])) > 0'


def panels() -> list[TimeSeries]:
    """In the order of a training's life."""
    return [_job(), _outcomes(), _live(), _archive(), _causes(), _size()]


def _job() -> TimeSeries:
    return (
        lines(
            "Training now",
            "How much of it is done; empty while nothing is trained.",
            "percentunit",
            query(
                "max(argus_retrainer_training_steps) / (max(argus_retrainer_training_planned_steps) > 0) "
                "and max(argus_retrainer_training) > 0",
                "steps done",
            ),
            query("max(argus_retrainer_training)", "a job runs"),
        )
        .min(0)
        .max(1)
    )


def _outcomes() -> TimeSeries:
    asked = query("sum by (outcome) (increase(argus_retrainer_outcomes_total[7d]))", "{{outcome}}")
    return lines(
        "What became of trainings, seven days",
        "promoted: passed the gate, serves; rejected: not clearly better; failed: no version; rolled back: worse live.",
        "none",
        asked,
    ).min(0)


def _live() -> TimeSeries:
    panel = lines(
        "Live loss of the watched version",
        "Over the statistical forecaster's on the same forecasts; a version above the bound is rolled back.",
        "none",
        query("max(argus_retrainer_live_loss_ratio) > 0", "watched version"),
        query("vector(1)", "statistical forecaster"),
    )
    return dashed(panel, "statistical forecaster").min(0)


def _archive() -> TimeSeries:
    return lines(
        "Archive",
        "Days of all fleets that can be learned from, by what the replica that keeps it tidy found last.",
        "none",
        query("max(argus_retrainer_archive_days)", "days"),
    ).min(0)


def _causes() -> TimeSeries:
    return lines(
        "Causes to train",
        "That no training answers yet; and those refused, by reason, in the hour before.",
        "none",
        query("max(argus_retrainer_pending_causes)", "pending"),
        query("sum by (reason) (increase(argus_retrainer_refused_causes_total[1h]))", "refused: {{reason}}"),
    ).min(0)


def _size() -> TimeSeries:
    return lines(
        "Size of the archive", "All files.", "bytes", query("max(argus_retrainer_archive_bytes)", "archive")
    ).min(0)
