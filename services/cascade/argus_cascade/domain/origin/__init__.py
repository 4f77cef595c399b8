"""Who began: candidates for the origin of a cascade or of an incident, with probabilities and reasons."""

from argus_cascade.domain.origin.candidate import Candidate, Reason
from argus_cascade.domain.origin.departures import Departures
from argus_cascade.domain.origin.incident import incident_departures
from argus_cascade.domain.origin.rank import rank_origins

__all__ = ["Candidate", "Departures", "Reason", "incident_departures", "rank_origins"]
