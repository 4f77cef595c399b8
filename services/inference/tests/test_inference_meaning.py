"""What the risk score means with the forecaster that serves: calm is low, a limit ahead is high, on any server."""

import numpy as np

from argus_common.events import SCORED_LEADS, WindowClosed
from argus_common.metrics import DEFAULT_CATALOGUE
from argus_forecasting.forecaster import Floats
from argus_forecasting.statistical import AnalogForecaster
from argus_inference.domain.outcome import Outcome, outcome
from argus_inference.domain.scoring import score
from argus_inference.domain.series import Targets

TARGETS = Targets.of(DEFAULT_CATALOGUE)
LEVELS = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98)
STEPS = 2112
STEP = 5_785_632


def forecast(levels: Floats) -> Outcome:
    """Forecast servers whose targets are ``levels`` (server, target, time)."""
    windows = [
        WindowClosed(fleet="default", server=f"s{i}", step=STEP, step_seconds=300, samples=9, metrics={})
        for i in range(len(levels))
    ]
    limits = TARGETS.limits(windows)
    made = AnalogForecaster(STEPS).forecast(TARGETS.batch(levels, windows, limits), 96, LEVELS)
    nothing = np.full((*levels.shape[:2], len(SCORED_LEADS), len(LEVELS)), np.nan, np.float32)
    observed = levels[:, :, -1]
    return outcome(windows, observed[:, :, None], limits, made, score(nothing, LEVELS, observed, observed), TARGETS)


def calm(servers: int) -> Floats:
    """A week of a daily wave with noise, far below every limit: 4 to 30 % of it."""
    chance = np.random.default_rng(11)
    share = chance.uniform(0.1, 0.25, (servers, len(TARGETS.names), 1))
    wave = 1 + 0.2 * np.sin(2 * np.pi * (np.arange(STEPS) / 288 + chance.uniform(0, 1, (servers, 1, 1))))
    limits = np.array([metric.limit for metric in TARGETS.metrics])[:, None]
    levels: Floats = (limits * share * wave * chance.normal(1, 0.05, (servers, 1, STEPS))).astype(np.float32)
    return levels


def test_a_calm_fleet_scores_low_on_every_server() -> None:
    risk = forecast(calm(100)).risk
    assert risk.max() < 5
    assert np.median(risk) < 2


def test_a_disk_that_fills_towards_its_limit_stands_out_from_a_calm_fleet() -> None:
    levels = calm(20)
    disk = TARGETS.names.index("disk_usage_pct")
    levels[7, disk] = 40
    levels[7, disk, -144:] = np.linspace(40, 86, 144)
    made = forecast(levels)
    assert made.risk.argmax() == 7
    assert made.risk[7] >= 60
    assert made.time_to_threshold[7, disk, 1] <= 240


def test_a_limit_that_is_crossed_is_at_least_a_warning_whichever_it_is() -> None:
    levels = calm(len(TARGETS.names))
    for t, metric in enumerate(TARGETS.metrics):
        levels[t, t, -1] = (metric.limit or 0) + 1
    assert (forecast(levels).risk >= 80).all()
