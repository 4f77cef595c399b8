"""Who will be drawn into a cascade, when, and how likely; and what came of it."""

from argus_cascade.domain.followers.followers import expected
from argus_cascade.domain.followers.knowledge import Knowledge, Known
from argus_cascade.domain.followers.past import Past, remembered
from argus_cascade.domain.followers.reasons import taught_by
from argus_cascade.domain.followers.record import Forecasts

__all__ = ["Forecasts", "Knowledge", "Known", "Past", "expected", "remembered", "taught_by"]
