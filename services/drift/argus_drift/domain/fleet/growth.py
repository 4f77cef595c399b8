"""Room for servers that are new: what is known of the others stays as it is."""

from typing import Any

import numpy as np

from argus_drift.domain.detector import Detector

BY_HOUR = ("ring", "values")
"""Their second axis is the server; of all others it is the first."""
COUNTED = ("running.sums", "running.counts", "running.total", "running.seen")
"""Sums begin with nothing; everything else is unknown."""


def grown(detector: Detector, more: int, step: int) -> Detector:
    """A detector that knows all that this one does, and learns ``more`` servers from the first whole hour after
    ``step`` on.
    """
    old = len(detector.running.before)
    saved = detector.snapshot()
    padded: dict[str, Any] = {name: _padded(name, value, more) for name, value in saved.items()}
    fresh = Detector(more, detector.channels.targets, 3600 // detector.steps_per_hour, detector.reference_hours)
    fresh.step(step, np.full((more, len(detector.channels.targets)), np.nan, np.float32))
    for i, learners in enumerate(fresh.classes, start=len(detector.classes)):
        padded |= {
            f"class.{i}.rows": learners.rows + old,
            f"class.{i}.first_hour": learners.first_hour,
            f"class.{i}.raw": learners.raw,
        }
    bigger = Detector(old + more, detector.channels.targets, 3600 // detector.steps_per_hour, detector.reference_hours)
    bigger.restore(padded)
    return bigger


def _padded(name: str, value: Any, more: int) -> Any:  # noqa: ANN401 - numbers and arrays
    if name == "last_step" or name.startswith("class."):
        return value
    axis = 1 if name in BY_HOUR else 0
    shape = (*value.shape[:axis], more, *value.shape[axis + 1 :])
    filling = np.full(shape, 0 if name in COUNTED else np.nan, value.dtype)
    return np.concatenate((value, filling), axis=axis)
