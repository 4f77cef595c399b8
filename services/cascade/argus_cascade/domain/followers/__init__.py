"""Who will be drawn into a cascade, when, and how likely; and what came of it."""

from argus_cascade.domain.followers.followers import expected
from argus_cascade.domain.followers.lags import Lags
from argus_cascade.domain.followers.record import Forecasts

__all__ = ["Forecasts", "Lags", "expected"]
