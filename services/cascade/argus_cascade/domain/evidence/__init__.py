"""From surprises of each server and metric to who is abnormal."""

from argus_cascade.domain.evidence.evidence import Evidence
from argus_cascade.domain.evidence.settings import EvidenceSettings

__all__ = ["Evidence", "EvidenceSettings"]
