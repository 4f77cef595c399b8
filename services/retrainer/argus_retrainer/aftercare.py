"""Watches the forecasts: how quiet the fleets are, and whether what was promoted keeps what its gate promised."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from argus_common.events import ModelPromoted
from argus_retrainer.domain.fleet_risk import FleetRisk
from argus_retrainer.domain.live_scores import LiveScores, WatchRules

RISK_SPAN_MS = 15 * 60_000
"""Of forecasts that are read again after a start, where no version is watched."""


class _Model(msgspec.Struct):
    name: str
    version: str


class _Score(msgspec.Struct):
    target: str
    model_pinball: float | None = None
    statistical_pinball: float | None = None


class _Forecast(msgspec.Struct):
    """What matters here of a ForecastIssued: its quantiles are many times larger, and skipped."""

    fleet: str
    server: str
    origin: int
    step_seconds: int
    risk: float
    model: _Model
    scores: list[_Score] = []


class ForecastRecord(Protocol):
    """What is needed of a Kafka record."""

    @property
    def value(self) -> bytes | None: ...  # noqa: D102


_decode = msgspec.json.Decoder(_Forecast).decode


@dataclass(slots=True)
class Aftercare:
    """Folds forecasts in. ``unreadable``: records that were left out."""

    model: str
    rules: WatchRules
    fleets: FleetRisk = field(default_factory=FleetRisk)
    unreadable: int = 0
    _scores: LiveScores | None = None

    def since_ms(self, promotion: ModelPromoted | None, now_ms: int) -> int:
        """From when on forecasts must be read: a quarter of an hour ago, or the promotion that is watched."""
        recent = now_ms - RISK_SPAN_MS
        if promotion is None or now_ms - promotion.promoted_ms > self.rules.watch_ms:
            return recent
        return min(recent, promotion.promoted_ms)

    def watch(self, promotion: ModelPromoted | None, now_ms: int) -> None:
        """Watch the version of this promotion from its first forecast on; None, or one of long ago: nothing."""
        fresh = promotion is not None and now_ms - promotion.promoted_ms <= self.rules.watch_ms
        version = promotion.version if promotion is not None and fresh else None
        if version is None:
            self._scores = None
        elif self._scores is None or self._scores.version != version:
            self._scores = LiveScores(version)

    def on_forecasts(self, records: Sequence[ForecastRecord]) -> None:
        """Fold records in."""
        for record in records:
            try:
                self._add(_decode(record.value or b""))
            except msgspec.DecodeError:  # ValidationError is one
                self.unreadable += 1

    def ratio(self) -> float | None:
        """Live loss of what is watched over that of the statistical forecaster; None = not known yet."""
        return None if self._scores is None else self._scores.ratio(self.rules)

    def worse(self) -> bool:
        """Whether what is watched should not serve any longer."""
        return self._scores is not None and self._scores.worse(self.rules)

    def _add(self, forecast: _Forecast) -> None:
        origin_ms = forecast.origin * forecast.step_seconds * 1000
        self.fleets.add(forecast.fleet, forecast.server, origin_ms, forecast.risk)
        scores = self._scores
        if scores is None or (forecast.model.name, forecast.model.version) != (self.model, scores.version):
            return
        for one in forecast.scores:
            if one.model_pinball is not None and one.statistical_pinball is not None:
                scores.add(one.target, origin_ms, one.model_pinball, one.statistical_pinball)
