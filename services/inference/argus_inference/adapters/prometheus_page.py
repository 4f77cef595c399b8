"""The forecasts on ``/metrics``: hand-rendered text, since a hundred thousand gauges would hold the process for
seconds at every scrape.
"""

import math
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from argus_forecasting.forecaster import WITHIN_MINUTES
from argus_inference.domain.outcome import Outcome
from argus_inference.domain.series import Targets

SHOWN_LEVELS = (0.1, 0.5, 0.9)
KEPT_STEPS = 12
"""A server that has closed no window for so many steps is gone, and so are its series."""

FAMILIES = {
    "argus_forecast": "Forecast of a target at a horizon, in its unit.",
    "argus_observed": "Value of a target at the forecast's origin, in its unit.",
    "argus_limit": "Limit of a target on this server, in its unit.",
    "argus_breach_probability_ratio": "Probability that the limit is crossed at any moment until then.",
    "argus_time_to_threshold_seconds": "Time until the limit is crossed; +Inf = not within the horizon.",
    "argus_risk_score_ratio": "Risk of the server, 0 to 1.",
}


@dataclass(frozen=True, slots=True)
class _Shown:
    """The lines of one server, by family. ``until``: event time at which they are stale, seconds since the epoch."""

    partition: int
    end: int
    until: int
    lines: tuple[str, ...]


class ForecastPage:
    """Holds the newest lines of every server; rendered once after each change, whatever the number of scrapes."""

    def __init__(self, targets: Targets, levels: tuple[float, ...]) -> None:
        self._names = targets.names
        self._columns = [levels.index(level) for level in SHOWN_LEVELS]
        self._servers: dict[str, _Shown] = {}
        self._ours: frozenset[int] | None = None
        self._lock = threading.Lock()
        self._text: bytes | None = None

    def update(self, outcome: Outcome, partitions: Sequence[int]) -> None:
        """Show this group's forecasts in place of their earlier ones. ``partitions``: (server,)."""
        step_seconds = outcome.windows[0].step_seconds
        end = (outcome.windows[0].step + 1) * step_seconds
        leads = [min(max(m * 60 // step_seconds, 1), outcome.quantiles.shape[2]) - 1 for m in WITHIN_MINUTES]
        fresh = {
            f"{window.fleet}/{window.server}": _Shown(
                partitions[i], end, end + KEPT_STEPS * step_seconds, self._lines(outcome, i, leads)
            )
            for i, window in enumerate(outcome.windows)
            if outcome.seen[i].any()
        }
        with self._lock:
            self._servers |= fresh
            newest = max((shown.end for shown in self._servers.values()), default=0)
            self._keep(lambda shown: shown.until > newest)

    def retain(self, partitions: Iterable[int]) -> None:
        """Show servers of these partitions only: the others are another replica's."""
        with self._lock:
            self._ours = frozenset(partitions)
            self._keep(lambda _: True)

    def text(self) -> bytes:
        """The families in the Prometheus text format."""
        with self._lock:
            if self._text is None:
                self._text = "".join(self._rendered()).encode()
            return self._text

    def _keep(self, wanted: Callable[[_Shown], bool]) -> None:
        ours = self._ours
        self._servers = {
            name: shown
            for name, shown in self._servers.items()
            if wanted(shown) and (ours is None or shown.partition in ours)
        }
        self._text = None

    def _rendered(self) -> Iterator[str]:
        for family, (name, help_text) in enumerate(FAMILIES.items()):
            yield f"# HELP {name} {help_text}\n# TYPE {name} gauge\n"
            yield from (shown.lines[family] for shown in self._servers.values())

    def _lines(self, outcome: Outcome, i: int, leads: list[int]) -> tuple[str, ...]:
        window = outcome.windows[i]
        label = f'fleet="{_escaped(window.fleet)}",server="{_escaped(window.server)}"'
        families = (
            self._forecasts(outcome, i, label, leads),
            self._observed(outcome, i, label),
            self._limits(outcome, i, label),
            self._probabilities(outcome, i, label),
            self._times(outcome, i, label),
            iter([f"argus_risk_score_ratio{{{label}}} {outcome.risk[i] / 100:.4f}\n"]),
        )
        return tuple("".join(lines) for lines in families)

    def _forecasts(self, outcome: Outcome, i: int, label: str, leads: list[int]) -> Iterator[str]:
        values = outcome.quantiles[i][:, leads][:, :, self._columns].tolist()
        for t, name in enumerate(self._names):
            if not outcome.seen[i, t]:
                continue
            for minutes, quantiles in zip(WITHIN_MINUTES, values[t], strict=True):
                head = f'argus_forecast{{{label},target="{name}",horizon_seconds="{minutes * 60}",quantile="'
                for level, value in zip(SHOWN_LEVELS, quantiles, strict=True):
                    yield f'{head}{level}"}} {value:.5g}\n'

    def _observed(self, outcome: Outcome, i: int, label: str) -> Iterator[str]:
        for name, value in zip(self._names, outcome.observed[i].tolist(), strict=True):
            if not math.isnan(value):
                yield f'argus_observed{{{label},target="{name}"}} {value:.5g}\n'

    def _limits(self, outcome: Outcome, i: int, label: str) -> Iterator[str]:
        for t, name in self._limited(outcome, i):
            yield f'argus_limit{{{label},target="{name}"}} {outcome.limits[i, t]:.5g}\n'

    def _probabilities(self, outcome: Outcome, i: int, label: str) -> Iterator[str]:
        for t, name in self._limited(outcome, i):
            head = f'argus_breach_probability_ratio{{{label},target="{name}",horizon_seconds="'
            for minutes, p in zip(WITHIN_MINUTES, outcome.probability[i, t].tolist(), strict=True):
                yield f'{head}{minutes * 60}"}} {p:.4f}\n'

    def _times(self, outcome: Outcome, i: int, label: str) -> Iterator[str]:
        for t, name in self._limited(outcome, i):
            head = f'argus_time_to_threshold_seconds{{{label},target="{name}",quantile="'
            for level, minutes in zip(SHOWN_LEVELS, outcome.time_to_threshold[i, t].tolist(), strict=True):
                yield f'{head}{level}"}} {"+Inf" if math.isnan(minutes) else f"{minutes * 60:.0f}"}\n'

    def _limited(self, outcome: Outcome, i: int) -> Iterator[tuple[int, str]]:
        limits = outcome.limits[i].tolist()
        return ((t, name) for t, name in enumerate(self._names) if not math.isnan(limits[t]))


def _escaped(label: str) -> str:
    return label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
