"""Which tests watch a server, and how far each lets it go before it calls that a drift."""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["level", "trend", "variance", "seasonality", "relation"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A test: the mean of ``family`` over the last ``hours`` leaves the range that such means had in the reference.

    ``threshold``: how far beyond it, in widths of that range (plus `FLOOR`), is a drift.
    """

    family: str
    hours: int
    threshold: float


FLOOR = 0.2
"""Added to a range's width, in ranks: a server that hardly moved in its reference is not judged by its least change."""

FORGIVEN_HOURS = 8
"""The worst so many hours in a row are left out: an incident of up to 6 h touches 7 clock hours, and of those the hour
after one is compared with its last."""

RULES = (
    Rule("level", 16, 1.23),
    Rule("spread", 48, 0.71),
    Rule("movement", 48, 0.9),
    Rule("rhythm", 24, 0.72),
    Rule("swing", 24, 0.18),
    Rule("gap", 48, 0.9),
    Rule("distance", 48, 0.82),
    Rule("pace", 16, 0.39),
)
"""Thresholds: 1.35 times the farthest that each test went in calm servers of the development data; see ADR 0012."""

RING_HOURS = max(rule.hours for rule in RULES)
