"""How much forecasts can be trusted lately, over all servers of this process."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from argus_inference.domain.scoring import RunningMean
from argus_inference.domain.trust import Lesson

REMEMBERED_STEPS = 12
"""A server that has closed no window for so many steps is gone, and its demotions no longer count."""


@dataclass(slots=True)
class RunningTrust:
    """``inside``: (target, lead) coverage before any correction. ``loss``: (source, target, lead) pinball loss,
    of the forecaster that serves and of the statistical one, which may be the same.
    """

    inside: RunningMean = field(default_factory=RunningMean)
    loss: RunningMean = field(default_factory=RunningMean)
    _demoted: dict[str, tuple[int, npt.NDArray[np.int64]]] = field(default_factory=dict)
    _newest: int = 0

    def add(self, lesson: Lesson, names: Sequence[str], step: int) -> None:
        """Count a group of servers."""
        self.inside.add(lesson.inside, step)
        self.loss.add(np.moveaxis(lesson.loss[[0, -1]], 0, 1), step)
        for name, demoted in zip(names, lesson.demoted, strict=True):
            if demoted.any():
                self._demoted[name] = step, demoted.astype(np.int64)
            else:
                self._demoted.pop(name, None)
        self._newest = max(self._newest, step)

    def demoted(self, targets: int) -> npt.NDArray[np.int64]:
        """(target,) series that the statistical forecaster serves in place of a trained model."""
        oldest = self._newest - REMEMBERED_STEPS
        self._demoted = {name: shown for name, shown in self._demoted.items() if shown[0] > oldest}
        return sum((row for _, row in self._demoted.values()), np.zeros(targets, np.int64))
