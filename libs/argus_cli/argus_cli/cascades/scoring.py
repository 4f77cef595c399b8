"""How right the cascades that were told are."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
import numpy.typing as npt

from argus_cli.cascades.truth import Incident

SHARED = 0.5
"""Of the members that a cascade had when it was opened so many must belong to the incident."""


@dataclass(frozen=True, slots=True)
class ToldCascade:
    """A cascade as it was told. ``members``, ``origins``: when it was opened; ``all_members``, ``last_origins``: at
    the end. ``end``: the step of its end, None = it was never resolved.
    """

    opened: int
    end: int | None
    members: frozenset[str]
    all_members: frozenset[str]
    origins: tuple[str, ...]
    last_origins: tuple[str, ...]
    fleet: str = "default"


@dataclass(frozen=True, slots=True)
class EventScores:
    """``delays``: steps from the second member's trouble to the opening, of each incident found where it is known.
    ``top``: share of the incidents found whose origin is among the first 1, 3, 5 said at last; ``top_at_opening``: said
    when it was opened. ``member_recall``, ``member_precision``: of the members at last, mean over the incidents found.
    """

    incidents: int
    found: int
    told: int
    right: int
    days: float
    delays: tuple[int, ...]
    top: tuple[float, float, float]
    top_at_opening: tuple[float, float, float]
    member_recall: float
    member_precision: float

    @property
    def precision(self) -> float:
        """Of the cascades told, 0 … 1; 1 where none was."""
        return self.right / self.told if self.told else 1.0

    @property
    def recall(self) -> float:
        """Of the incidents, 0 … 1; 1 where there was none."""
        return self.found / self.incidents if self.incidents else 1.0

    @property
    def f1(self) -> float:
        """Of both."""
        both = self.precision + self.recall
        return 2 * self.precision * self.recall / both if both else 0.0

    @property
    def false_per_day(self) -> float:
        """Cascades of no incident."""
        return (self.told - self.right) / self.days if self.days else 0.0

    @property
    def median_delay(self) -> float | None:
        """In steps."""
        return float(median(self.delays)) if self.delays else None


def scored(told: Sequence[ToldCascade], incidents: Sequence[Incident], days: float) -> EventScores:
    """Match what was told with what happened.

    A cascade is right if an incident went on when it was opened (or had ended no more than `GRACE_STEPS` before) and
    at least half of its first members belong to it; an incident is found by the first right cascade.
    """
    matches = [next((i for i, one in enumerate(incidents) if _matches(cascade, one)), None) for cascade in told]
    first = {
        i: next(cascade for cascade, match in zip(told, matches, strict=True) if match == i)
        for i in sorted({match for match in matches if match is not None})
    }
    pairs = [(incidents[i], cascade) for i, cascade in first.items()]
    delays = [cascade.opened - one.second for one, cascade in pairs if one.second is not None]
    known = [(one, cascade) for one, cascade in pairs if one.origin is not None]
    recall = [len(cascade.all_members & set(one.begins)) / len(one.begins) for one, cascade in pairs]
    precision = [len(cascade.all_members & set(one.begins)) / len(cascade.all_members) for one, cascade in pairs]
    return EventScores(
        len(incidents),
        len(pairs),
        len(told),
        sum(match is not None for match in matches),
        days,
        tuple(delays),
        _top([(one.origin, cascade.last_origins) for one, cascade in known]),
        _top([(one.origin, cascade.origins) for one, cascade in known]),
        float(np.mean(recall)) if recall else 0.0,
        float(np.mean(precision)) if precision else 0.0,
    )


def average_precision(score: npt.NDArray[np.float64], truth: npt.NDArray[np.bool_]) -> float | None:
    """Area under the precision-recall curve (AUC-PR); equal scores are one threshold; None without a positive.

    >>> average_precision(np.array([0.9, 0.8, 0.1]), np.array([True, False, True]))
    0.8333333333333333
    """
    if not truth.any():
        return None
    order = np.argsort(-score, kind="stable")
    hits = np.cumsum(truth[order])
    last = np.append(np.diff(score[order]) != 0, True)
    precision, recall = (hits / np.arange(1, len(hits) + 1))[last], hits[last] / hits[-1]
    return float((np.diff(recall, prepend=0.0) * precision).sum())


def _matches(cascade: ToldCascade, one: Incident) -> bool:
    if one.fleet is not None and one.fleet != cascade.fleet:
        return False
    shared = len(cascade.members & set(one.begins)) / len(cascade.members)
    return one.begin <= cascade.opened <= one.end + GRACE_STEPS and shared >= SHARED


GRACE_STEPS = 6
"""A cascade may be told so long after the incident has ended."""


def _top(pairs: Sequence[tuple[str | None, tuple[str, ...]]]) -> tuple[float, float, float]:
    if not pairs:
        return (0.0, 0.0, 0.0)
    one, three, five = (sum(true in said[:k] for true, said in pairs) / len(pairs) for k in (1, 3, 5))
    return one, three, five
