"""What the time of day, and the other metrics of a server, say a metric should be."""

from dataclasses import dataclass, field

import numpy as np

from argus_cascade.domain.tick import Floats

HARMONICS = 3
RECENT_STEPS = 10
"""Span of the recent averages of the other metrics, which follow or lead (load averages)."""
RIDGE = 0.1
"""Variance added to every regressor: a relation must explain more than a tenth to be used in full."""
DAY_SECONDS = 86_400
VIEWS = 2
"""By itself, and by the others."""


@dataclass(slots=True)
class Relations:
    """Two views of what a metric should be, each a ridge regression: on the time of day alone, and on that, the other
    metrics and their recent averages.

    In the second, the coefficients of all metrics of a server come from one inverse of the covariance: those of a
    metric are its row of the precision matrix, after its own recent average is marginalised out, over its diagonal.

    References:
        J. Whittaker, "Graphical Models in Applied Multivariate Statistics", 1990, §5.8: regression coefficients from
        the inverse covariance.
    """

    servers: int
    metrics: int
    step_seconds: int
    _covariance: Floats = field(init=False)
    _coefficients: Floats = field(init=False)
    _recent: Floats = field(init=False)

    def __post_init__(self) -> None:
        width = 2 * self.metrics + 2 * HARMONICS
        self._covariance = np.tile(np.eye(width), (self.servers, 1, 1))
        self._coefficients = np.zeros((VIEWS, self.servers, width, self.metrics))
        self._recent = np.zeros((self.servers, self.metrics))

    def regressors(self, standardised: Floats, step: int) -> Floats:
        """(server, regressor) of this step; ``standardised``: (server, metric) without gaps."""
        self._recent = self._recent + (standardised - self._recent) * 2 / (RECENT_STEPS + 1)
        angle = 2 * np.pi * (step * self.step_seconds / DAY_SECONDS) * np.arange(1, HARMONICS + 1)
        clock = np.sqrt(2) * np.concatenate([np.sin(angle), np.cos(angle)])
        return np.concatenate([standardised, self._recent, np.tile(clock, (self.servers, 1))], axis=1)

    def expected(self, regressors: Floats) -> Floats:
        """(view, server, metric) by the time of day alone, and by everything."""
        values: Floats = np.matmul(regressors[:, None, :], self._coefficients)[:, :, 0]
        return values

    def learn(self, regressors: Floats, rate: float) -> None:
        """Take in ``regressors`` (step, server, regressor), which count ``rate`` in all."""
        products = np.einsum("tsi,tsj->sij", regressors, regressors) / len(regressors)
        self._covariance += rate * (products - self._covariance)

    def solve(self) -> None:
        """Coefficients anew from what was learned."""
        covariance = self._covariance + RIDGE * np.eye(self._covariance.shape[1])
        clock = slice(2 * self.metrics, None)
        of_metrics = covariance[:, clock, : self.metrics]
        self._coefficients[0, :, clock] = np.linalg.solve(covariance[:, clock, clock], of_metrics)
        self._coefficients[1] = self._of_the_others(np.asarray(np.linalg.inv(covariance), np.float64))

    def _of_the_others(self, inverse: Floats) -> Floats:
        """(server, regressor, metric) coefficients on all regressors, from their inverse covariance."""
        own = np.arange(self.metrics)
        recent = own + self.metrics
        share = inverse[:, own, recent] / inverse[:, recent, recent]
        rows = inverse[:, own] - share[:, :, None] * inverse[:, recent]
        coefficients: Floats = -np.transpose(rows / rows[:, own, own][:, :, None], (0, 2, 1))
        coefficients[:, own, own] = 0
        coefficients[:, recent, own] = 0
        return coefficients
