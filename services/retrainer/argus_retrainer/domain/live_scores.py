"""How a version does since it serves, beside the statistical forecaster on the very same servers and steps."""

import math
from dataclasses import dataclass, field

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class WatchRules:
    """A version is withdrawn where its loss was more than ``bound`` times that of the statistical forecaster over the
    last ``span_ms`` of event time, in at least ``least`` scored forecasts; it is watched for ``watch_ms``.
    """

    bound: float = 1.15
    span_ms: int = 6 * HOUR_MS
    watch_ms: int = 24 * HOUR_MS
    least: int = 500


@dataclass(slots=True)
class _Sums:
    model: float = 0.0
    statistical: float = 0.0
    count: int = 0


@dataclass(slots=True)
class LiveScores:
    """Of one version. Scores are summed by target and hour of event time."""

    version: str
    _hours: dict[int, dict[str, _Sums]] = field(default_factory=dict)
    _first_ms: int | None = None
    _last_ms: int = 0

    def add(self, target: str, origin_ms: int, model: float, statistical: float) -> None:
        """Losses of both for the same step, in the target's unit."""
        sums = self._hours.setdefault(origin_ms // HOUR_MS, {}).setdefault(target, _Sums())
        sums.model += model
        sums.statistical += statistical
        sums.count += 1
        self._first_ms = origin_ms if self._first_ms is None else min(self._first_ms, origin_ms)
        self._last_ms = max(self._last_ms, origin_ms)

    def ratio(self, rules: WatchRules) -> float | None:
        """Loss over the statistical forecaster's, geometric mean over targets, lately; None = not scored enough.

        A target on which neither errs says nothing.
        """
        if self._first_ms is None or self._last_ms - self._first_ms < rules.span_ms:
            return None
        recent = [s for hour, s in self._hours.items() if (hour + 1) * HOUR_MS > self._last_ms - rules.span_ms]
        targets = {target for sums in recent for target in sums}
        totals = [_total([sums[target] for sums in recent if target in sums]) for target in sorted(targets)]
        told = [one for one in totals if one.statistical > 0 and one.model > 0]
        if sum(one.count for one in told) < rules.least:
            return None
        return math.exp(sum(math.log(one.model / one.statistical) for one in told) / len(told))

    def worse(self, rules: WatchRules) -> bool:
        """Whether it should not serve any longer."""
        if self._first_ms is None or self._last_ms - self._first_ms > rules.watch_ms:
            return False
        ratio = self.ratio(rules)
        return ratio is not None and ratio > rules.bound


def _total(parts: list[_Sums]) -> _Sums:
    return _Sums(sum(p.model for p in parts), sum(p.statistical for p in parts), sum(p.count for p in parts))
