"""What an alert says to a person, and its numbers in the form of the event."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from argus_common.durations import told
from argus_common.events.base import step_time
from argus_forecasting.forecaster import WITHIN_MINUTES, Floats

BAND_LEVELS = (0.1, 0.5, 0.9)
SIGNIFICANT = 5


def time_to_threshold(minutes: Floats) -> dict[str, int | None]:
    """Seconds, None = not within the horizon; ``minutes``: (3,), NaN = not within it."""
    seconds = [None if np.isnan(m) else round(m * 60) for m in minutes.tolist()]
    return dict(zip(("p10", "p50", "p90"), seconds, strict=True))


def band(quantiles: Floats, levels: tuple[float, ...], step_seconds: int) -> list[dict[str, float]]:
    """The forecast at the leads of the breach probabilities, those within the horizon; ``quantiles``: (lead, level)."""
    columns = [levels.index(level) for level in BAND_LEVELS]
    leads = sorted({max(1, minutes * 60 // step_seconds) for minutes in WITHIN_MINUTES})
    return [
        {"lead_seconds": lead * step_seconds}
        | {
            f"p{round(level * 100)}": float(f"{float(quantiles[lead - 1, column]):.{SIGNIFICANT}g}")
            for level, column in zip(BAND_LEVELS, columns, strict=True)
        }
        for lead in leads
        if lead <= len(quantiles)
    ]


def standing_because(body: Mapping[str, Any], *, late: bool) -> str:
    """Why the alert stands."""
    side = "at or above" if body["harm"] > 0 else "at or below"
    value = "" if body["observed"] is None else f", now {body['observed']:.4g}"
    if body["phase"] == "breached":
        when = step_time(body["crossed"], body["step_seconds"])
        foretold = "; nobody was told before" if late else "; it was foretold"
        return f"{body['target']} is {side} {body['limit']:g} since {when:%Y-%m-%d %H:%M} UTC{value}{foretold}"
    chance = body["probability"][body["within"]]
    median = body["time_to_threshold"]["p50"]
    soonest = f", most likely in {told(median)}" if median is not None else ""
    return (
        f"{body['target']} will be {side} {body['limit']:g} within {body['within']} with {chance:.0%}{value}{soonest}"
    )


def ended_because(body: Mapping[str, Any]) -> str:
    """Why the alert ended."""
    lead = body["lead_time_seconds"]
    return {
        "hit": f"the limit was crossed {told(lead or 0)} after the alert was raised",
        "late": "the limit was crossed before the alert was raised",
        "false": "the promised time passed, or the probability fell, and the limit was not crossed",
        "mitigated": "someone acted before the limit was crossed",
        "unknown": "values stopped before it could be seen",
    }[str(body["outcome"])]
