"""The forecasts on ``/metrics``: hand-rendered text, since a hundred thousand gauges would hold the process for
seconds at every scrape.
"""

import math
import threading
from collections.abc import Iterator

import numpy as np

from argus_inference.domain.outcome import Outcome
from argus_inference.domain.series import Targets

HORIZON_MINUTES = (15, 60, 240, 480)
SHOWN_LEVELS = (0.1, 0.5, 0.9)
KEPT_STEPS = 12
"""A server that has closed no window for so many steps is gone, and so are its series."""

FAMILIES = {
    "argus_forecast": "Forecast of a target at a horizon, in its unit.",
    "argus_observed": "Value of a target at the forecast's origin, in its unit.",
    "argus_breach_probability_ratio": "Probability that the limit is crossed at any moment until then.",
    "argus_time_to_threshold_seconds": "Time until the limit is crossed; +Inf = not within the horizon.",
    "argus_risk_score_ratio": "Risk of the server, 0 to 1.",
}


class ForecastPage:
    """Holds the newest lines of every server; rendered once after each change, whatever the number of scrapes."""

    def __init__(self, targets: Targets, levels: tuple[float, ...]) -> None:
        self._names = targets.names
        self._levels = [(level, levels.index(level)) for level in SHOWN_LEVELS if level in levels]
        self._lines: dict[str, tuple[int, tuple[str, ...]]] = {}
        self._lock = threading.Lock()
        self._text: bytes | None = b""

    def update(self, outcome: Outcome) -> None:
        """Show this group's forecasts in place of their earlier ones."""
        step_minutes = outcome.windows[0].step_seconds / 60
        horizon = outcome.quantiles.shape[2]
        leads = [(m, min(max(round(m / step_minutes), 1), horizon) - 1) for m in HORIZON_MINUTES]
        fresh = {}
        for i, window in enumerate(outcome.windows):
            label = f'fleet="{_escape(window.fleet)}",server="{_escape(window.server)}"'
            families = (
                self._forecasts(outcome, i, label, leads),
                self._observed(outcome, i, label),
                self._probabilities(outcome, i, label),
                self._times(outcome, i, label),
                iter([f"argus_risk_score_ratio{{{label}}} {outcome.risk[i] / 100:.4f}\n"]),
            )
            fresh[f"{window.fleet}/{window.server}"] = (window.step, tuple("".join(lines) for lines in families))
        with self._lock:
            self._lines |= fresh
            newest = max(step for step, _ in self._lines.values())
            self._lines = {k: v for k, v in self._lines.items() if v[0] > newest - KEPT_STEPS}
            self._text = None

    def text(self) -> bytes:
        """The families in the Prometheus text format."""
        with self._lock:
            if self._text is None:
                self._text = "".join(self._rendered()).encode()
            return self._text

    def _rendered(self) -> Iterator[str]:
        for family, (name, help_text) in enumerate(FAMILIES.items()):
            yield f"# HELP {name} {help_text}\n# TYPE {name} gauge\n"
            yield from (lines[family] for _, lines in self._lines.values())

    def _forecasts(self, outcome: Outcome, i: int, label: str, leads: list[tuple[int, int]]) -> Iterator[str]:
        for t, name in enumerate(self._names):
            if outcome.observed_share[i, t] == 0:
                continue
            for minutes, lead in leads:
                head = f'argus_forecast{{{label},target="{name}",horizon_seconds="{minutes * 60}",quantile="'
                for level, q in self._levels:
                    yield f'{head}{level}"}} {outcome.quantiles[i, t, lead, q]:.5g}\n'

    def _observed(self, outcome: Outcome, i: int, label: str) -> Iterator[str]:
        for t, name in enumerate(self._names):
            if not np.isnan(outcome.observed[i, t]):
                yield f'argus_observed{{{label},target="{name}"}} {outcome.observed[i, t]:.5g}\n'

    def _probabilities(self, outcome: Outcome, i: int, label: str) -> Iterator[str]:
        for t, name in enumerate(self._names):
            if not np.isnan(outcome.limits[i, t]):
                head = f'argus_breach_probability_ratio{{{label},target="{name}",horizon_seconds="'
                for minutes, p in zip(HORIZON_MINUTES, outcome.probability[i, t].tolist(), strict=True):
                    yield f'{head}{minutes * 60}"}} {p:.4f}\n'

    def _times(self, outcome: Outcome, i: int, label: str) -> Iterator[str]:
        for t, name in enumerate(self._names):
            if not np.isnan(outcome.limits[i, t]):
                head = f'argus_time_to_threshold_seconds{{{label},target="{name}",quantile="'
                for level, minutes in zip(SHOWN_LEVELS, outcome.time_to_threshold[i, t].tolist(), strict=True):
                    yield f'{head}{level}"}} {"+Inf" if math.isnan(minutes) else f"{minutes * 60:.0f}"}\n'


def _escape(label: str) -> str:
    return label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
