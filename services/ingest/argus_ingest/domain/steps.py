"""Event-time steps as numbers: step = floor(epoch milliseconds / step length)."""

from dataclasses import dataclass

import numpy as np

from argus_ingest.domain.rows import Ids, Ints, Mask

NEVER = -1
"""No step was closed yet; real step numbers are positive."""


@dataclass(frozen=True, slots=True)
class StepClock:
    """Cuts event time into steps and says which of them a watermark has closed."""

    step_ms: int
    lateness_ms: int

    def step_of(self, time_ms: Ints) -> Ints:
        """The number of the step that holds each moment."""
        return time_ms // self.step_ms

    def closed_by(self, newest_ms: Ints) -> Ints:
        """The last step closed once a server's newest sample is ``newest_ms``: its end plus the lateness has passed."""
        return (newest_ms - self.lateness_ms) // self.step_ms - 1

    def end_ms(self, step: int) -> int:
        """When the step ends, exclusive."""
        return (step + 1) * self.step_ms


def newest_before(server: Ids, time_ms: Ints, newest: Ints) -> tuple[Ints, Ints]:
    """The newest event time of the same server before each row arrived, and after it.

    This is what makes lateness independent of how the stream was cut into batches: each row is judged by what
    came before it, never by what came with it.

    Args:
        server: (row,) in order of arrival.
        time_ms: (row,) event times.
        newest: (server,) newest event time of each server before the batch.

    Returns:
        before, after: (row,) each.
    """
    order = np.argsort(server, kind="stable")
    sorted_server, times = server[order], time_ms[order]
    first = np.ones(len(order), bool)
    first[1:] = sorted_server[1:] != sorted_server[:-1]
    prior = newest[sorted_server]
    including = _segment_maximum(np.where(first, np.maximum(times, prior), times), first)
    before = np.where(first, prior, np.concatenate([[0], including[:-1]]))
    unsorted_before, unsorted_after = np.empty_like(before), np.empty_like(including)
    unsorted_before[order], unsorted_after[order] = before, including
    return unsorted_before, unsorted_after


def _segment_maximum(values: Ints, first: Mask) -> Ints:
    """Running maximum that starts anew where ``first`` is set."""
    lowest = int(values.min())
    span = int(values.max()) - lowest + 1
    lift = (np.cumsum(first) - 1) * span
    running: Ints = np.maximum.accumulate(values - lowest + lift) - lift + lowest
    return running
