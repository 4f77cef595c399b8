"""The rule's numbers, and where they come from."""

from dataclasses import dataclass

import numpy as np

from argus_forecasting.forecaster import WITHIN_MINUTES, Floats, Ints, Mask


@dataclass(frozen=True, slots=True)
class Promise:
    """What an alarm promises: a crossing within ``span`` (index into `WITHIN_MINUTES`).

    ``floors``: least probability within each of the spans. ``persistence``: origins in a row at which they are reached.
    """

    span: int
    floors: tuple[float, float, float, float]
    persistence: int = 1

    def met(self, probability: Floats, share: float = 1.0) -> Mask:
        """(series,) whether ``share`` of every floor is reached; NaN reaches nothing."""
        reached: Mask = np.all(probability >= share * np.array(self.floors), axis=1)
        return reached


SOON = Promise(span=1, floors=(0.07, 0.25, 0.0, 0.0))
"""Within the hour. That a crossing within the next quarter of an hour must be possible too keeps series quiet that may
burst at any time; persistence would cost a third of the recall.
"""
AHEAD = Promise(span=3, floors=(0.0, 0.0, 0.0, 0.6), persistence=3)
"""Within eight hours: what fills or leaks slowly, and what bursts every few hours."""


@dataclass(frozen=True, slots=True)
class AlarmRule:
    """Raises on any promise, once its origins persist, and never twice within the quiet time.

    A promise that is met again is renewed, and a shorter one takes the place of a longer one, for good.

    Chosen on weeks of the bitbrains fleet before its development split and on the Azure trace at limits of 70, 80 and
    90 (README of this package), with the statistical forecaster.

    ``calm_seconds``: below the limit for so long before anything is raised, and before a crossed alarm ends: the
    beginning of a breach is what is foretold, not the next swing of one that goes on.
    ``quiet_seconds``: least time between two raisings of a series.
    ``longest_seconds``: no alarm stands for longer without a crossing, however often it is renewed.
    ``withdraw_share``: an alarm is withdrawn when no promise reaches this share of its floors for ``calm_seconds``.
    ``lasting_seconds``: a limit that is crossed without an alarm for so long raises one too, as late.
    ``silent_seconds``: without a value for so long, nothing can be said any more.
    """

    promises: tuple[Promise, ...] = (SOON, AHEAD)
    calm_seconds: int = 3600
    quiet_seconds: int = 3600
    longest_seconds: int = 8 * 3600
    withdraw_share: float = 0.5
    lasting_seconds: int = 900
    silent_seconds: int = 3600

    def __post_init__(self) -> None:
        spans = [promise.span for promise in self.promises]
        if not spans or spans != sorted(set(spans)):
            raise ValueError(f"promises must be given with rising spans, got {spans}")

    @staticmethod
    def steps(seconds: float, step_seconds: int) -> int:
        """So many steps, at least one."""
        return max(1, round(seconds / step_seconds))

    def span_steps(self, step_seconds: int) -> Ints:
        """(promise,) steps within which each promises a crossing."""
        return np.array([self.steps(WITHIN_MINUTES[promise.span] * 60, step_seconds) for promise in self.promises])
