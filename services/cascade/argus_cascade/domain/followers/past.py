"""Cascades that are over, as far as they teach who follows whom."""

from collections.abc import Sequence
from dataclasses import dataclass

from argus_cascade.domain.life.cascade import Cascade

MOST_CASCADES, MOST_MEMBERS = 64, 30
"""What is remembered: the newest cascades, and of each the first members."""


@dataclass(frozen=True, slots=True)
class Past:
    """``step``: of its first onset. ``onsets``: server → steps from then until its trouble began, in that order;
    ``joined``: … until it was drawn in.
    """

    step: int
    onsets: dict[str, int]
    joined: dict[str, int]

    @property
    def longest(self) -> int:
        """The last onset."""
        return max(self.onsets.values())


def remembered(pasts: Sequence[Past], cascade: Cascade) -> tuple[Past, ...]:
    """The past with one more cascade that is over.

    What hit everything at once says nothing of who follows whom.
    """
    if cascade.kind == "common_cause":
        return tuple(pasts)
    first, members = cascade.members[0].onset, cascade.members[:MOST_MEMBERS]
    past = Past(
        first,
        {member.server: member.onset - first for member in members},
        {member.server: member.joined - first for member in members},
    )
    return (*pasts, past)[-MOST_CASCADES:]


def weights(pasts: Sequence[Past], half_life_steps: float) -> list[float]:
    """How much each says beside the newest: half as much for each half life that it is older."""
    if not pasts:
        return []
    return [0.5 ** ((pasts[-1].step - past.step) / half_life_steps) for past in pasts]
