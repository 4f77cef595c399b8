"""Who began: candidates for the origin of a cascade or of an incident, with probabilities and reasons."""

from argus_cascade.domain.origin.candidate import Candidate, Reason
from argus_cascade.domain.origin.evidence import Evidence
from argus_cascade.domain.origin.rank import rank_origins

__all__ = ["Candidate", "Evidence", "Reason", "rank_origins"]
