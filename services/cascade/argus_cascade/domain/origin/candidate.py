"""A server that may have begun, how likely, and why."""

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """Why a server is a candidate: short sentences that a person can read beside its name."""

    EARLIEST = "departed no later than the others"
    UPSTREAM = "the others depend on it"
    UNEXPLAINED = "what it depends on does not explain it"
    LEADS = "its course leads that of the others"
    LARGEST = "has the largest departure"
    MATCHES_SYMPTOM = "its course is that of the symptom"


@dataclass(frozen=True, slots=True)
class Candidate:
    """``probability``: 0 … 1; those of all candidates sum to at most 1, the rest is for a cause outside of them."""

    server: str
    probability: float
    reasons: tuple[Reason, ...]
