"""Why servers are at risk: what the forecast of the target that weighs most was made from."""

from collections.abc import Mapping

import numpy as np

from argus_common.events import Driver
from argus_common.events.base import step_time
from argus_forecasting.drivers import Driver as Found
from argus_forecasting.drivers import Explains
from argus_forecasting.forecaster import Forecaster, SeriesBatch
from argus_inference.domain.outcome import Outcome
from argus_inference.domain.risk import contributions
from argus_inference.domain.series import Targets

Explanations = Mapping[int, list[Driver]]
"""Server of the group → its drivers."""


def explain(
    forecaster: Forecaster, batch: SeriesBatch, outcome: Outcome, targets: Targets, from_risk: float | None
) -> Explanations:
    """The drivers of every server of at least this risk, for the target whose limit adds most to it.

    Args:
        forecaster: who made the forecasts; one that can't say what it looked at gives no drivers.
        batch: what it was given, server by server, target by target.
        outcome: what is known after it.
        targets: the targets.
        from_risk: 0 … 100, None = drivers are not asked for.
    """
    if from_risk is None or not isinstance(forecaster, Explains):
        return {}
    severity = targets.severity()
    share = contributions(outcome.probability, outcome.crossed(targets.harm()), severity)
    servers = np.flatnonzero((outcome.risk >= from_risk) & (share.max(axis=1) > 0))
    worst = share[servers].argmax(axis=1)
    found = forecaster.drivers(batch.part(servers * len(targets.names) + worst), outcome.quantiles.shape[2])
    names, step_seconds = targets.names, batch.step_seconds
    return {
        server: [_told(driver, names[target], step_seconds) for driver in drivers]
        for server, target, drivers in zip(servers.tolist(), worst.tolist(), found, strict=True)
        if drivers
    }


def _told(driver: Found, target: str, step_seconds: int) -> Driver:
    return Driver(
        target=target,
        input=driver.input,
        moment=None if driver.step is None else step_time(driver.step, step_seconds),
        weight=round(min(driver.weight, 1.0), 4),
        effect=None if driver.effect is None else float(f"{driver.effect:.4g}"),
    )
