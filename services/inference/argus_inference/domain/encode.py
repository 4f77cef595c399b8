"""Outcomes to the bytes of ForecastIssued events: from columns, without an object per value."""

import math
from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np

from argus_common.events import SCORED_LEADS, ForecastIssued, ModelReference, Record, headers_of
from argus_common.events.base import step_time
from argus_common.levels import level_of
from argus_forecasting.forecaster import WITHIN_MINUTES
from argus_inference.domain.explain import Explanations
from argus_inference.domain.outcome import Outcome
from argus_inference.domain.quantile_text import quantile_texts
from argus_inference.domain.scoring import Doubles
from argus_inference.domain.series import Targets

SOURCE = "/argus/inference"
WITHIN_NAMES = tuple(f"{m}m" if m < 60 else f"{m // 60}h" for m in WITHIN_MINUTES)
"""``15m``, ``1h``, ``4h``, ``8h``."""

_encode = msgspec.json.Encoder().encode

Document = dict[str, Any]


def encode_forecasts(
    outcome: Outcome,
    targets: Targets,
    levels: tuple[float, ...],
    model: ModelReference,
    why: Explanations | None = None,
    losses: Doubles | None = None,
) -> Iterator[Record]:
    """One event per server of which any target was seen. The same outcome always gives the same bytes.

    Args:
        outcome: what is known of the servers.
        targets: that were forecast.
        levels: of the quantiles.
        model: that serves.
        why: drivers by server.
        losses: (source, server, target, scored lead) of the model and of the statistical forecaster beside it, NaN =
            not scored; None where no trained model serves.
    """
    names = targets.names
    shown = np.where(outcome.seen[:, :, None, None], outcome.quantiles, 0).astype(np.float64)
    texts = quantile_texts(shown.reshape(-1, *shown.shape[2:]))
    reference = model.model_dump()
    for i, window in enumerate(outcome.windows):
        if not outcome.seen[i].any():
            continue
        risk = round(float(outcome.risk[i]), 1)
        body = {
            "fleet": window.fleet,
            "server": window.server,
            "profile": window.profile,
            "origin": window.step,
            "step_seconds": window.step_seconds,
            "model": reference if not outcome.demoted[i].any() else _demoted(reference, outcome, i, names),
            "observed": {name: window.metrics[name] for name in names if name in window.metrics},
            "levels": levels,
            "quantiles": {
                name: msgspec.Raw(texts[i * len(names) + t]) for t, name in enumerate(names) if outcome.seen[i, t]
            },
            "breaches": _breaches(outcome, i, targets),
            "risk": risk,
            "level": level_of(risk).value,
            "scores": _scores(outcome, i, names, losses),
            "quality": _quality(outcome, i, names),
            "drivers": [driver.model_dump() for driver in (why or {}).get(i, ())],
        }
        yield _outgoing(body, model)


def _demoted(reference: Document, outcome: Outcome, i: int, names: tuple[str, ...]) -> Document:
    """The model, and the targets that the statistical forecaster serves in its place."""
    targets = [name for t, name in enumerate(names) if outcome.demoted[i, t]]
    return reference | {"demoted": True, "demoted_targets": targets}


def _outgoing(body: Document, model: ModelReference) -> Record:
    step_seconds, origin = body["step_seconds"], body["origin"]
    event_id = f"{body['fleet']}/{body['server']}/{step_seconds}/{origin}/{model.name}@{model.version}"
    headers = headers_of(ForecastIssued.type, SOURCE, event_id, step_time(origin + 1, step_seconds))
    return Record(body["fleet"].encode(), _encode(body), headers)


def _breaches(outcome: Outcome, i: int, targets: Targets) -> list[Document]:
    found = []
    for t, metric in enumerate(targets.metrics):
        if math.isnan(limit := float(outcome.limits[i, t])):
            continue
        seconds = [None if math.isnan(m) else round(m * 60) for m in outcome.time_to_threshold[i, t].tolist()]
        found.append(
            {
                "target": metric.name,
                "limit": round(limit, 6),
                "harm": metric.harm,
                "probability": {
                    name: round(p, 4) for name, p in zip(WITHIN_NAMES, outcome.probability[i, t].tolist(), strict=True)
                },
                "time_to_threshold": dict(zip(("p10", "p50", "p90"), seconds, strict=True)),
            }
        )
    return found


def rounded_pit(pit: float) -> float:
    """Short, with four digits of the chance of something further out, so that rounding makes no 0 or 1.

    >>> rounded_pit(0.123456), rounded_pit(1 - 1.23456e-9)
    (0.1235, 0.999999998765)
    """
    return float(f"{pit:.4g}") if pit <= 0.5 else 1 - float(f"{1 - pit:.4g}")


def _scores(outcome: Outcome, i: int, names: tuple[str, ...], losses: Doubles | None) -> list[Document]:
    scores = outcome.scores
    return [
        {
            "target": name,
            "lead": lead,
            "pit": rounded_pit(pit),
            "residual": float(f"{scores.residual[i, t, k]:.4g}"),
            "pinball": float(f"{scores.pinball[i, t, k]:.4g}"),
            **_beside(losses, i, t, k),
        }
        for t, name in enumerate(names)
        for k, lead in enumerate(SCORED_LEADS)
        if not math.isnan(pit := float(scores.pit[i, t, k]))
    ]


def _beside(losses: Doubles | None, i: int, t: int, k: int) -> Document:
    """What the model and the statistical forecaster lost by themselves, where both had forecast."""
    if losses is None or not np.isfinite(losses[:, i, t, k]).all():
        return {"model_pinball": None, "statistical_pinball": None}
    model, statistical = (float(f"{loss:.4g}") for loss in losses[:, i, t, k])
    return {"model_pinball": model, "statistical_pinball": statistical}


def _quality(outcome: Outcome, i: int, names: tuple[str, ...]) -> dict[str, Document]:
    return {
        name: {
            "observed_share": round(float(outcome.observed_share[i, t]), 4),
            "warming_up": bool(outcome.warming_up[i, t]),
        }
        for t, name in enumerate(names)
        if outcome.seen[i, t]
    }
