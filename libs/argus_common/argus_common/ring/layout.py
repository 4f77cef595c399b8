"""How a ring lies in memory: rows of ``[uint32 step number + 1, float32 × width]`` at position step number mod N.

The stored number is one more than the step's, so that bytes which were never written (zeros) belong to no step.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from argus_common.events.base import LAST_STEP

Floats = npt.NDArray[np.float32]
Steps = npt.NDArray[np.int64]

DEFAULT_STEPS = 2304
"""Eight days of five-minute steps, so that the same time last week is always there."""


@dataclass(frozen=True, slots=True)
class RingLayout:
    """A ring of ``steps`` rows with ``width`` values each. A row whose step number is another one is missing."""

    width: int
    steps: int = DEFAULT_STEPS

    def __post_init__(self) -> None:
        if self.width < 1 or self.steps < 1:
            raise ValueError(f"a ring needs at least one step and one value, got {self.steps} and {self.width}")

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return 4 + 4 * self.width

    @property
    def ring_bytes(self) -> int:
        """Bytes of a whole ring."""
        return self.row_bytes * self.steps

    def offset(self, step: int) -> int:
        """Where the row of this step begins, in bytes."""
        return (step % self.steps) * self.row_bytes

    def pack(self, steps: Steps, values: Floats) -> list[bytes]:
        """One row per element. ``steps``: 0 … 2³² − 2; ``values``: (row, width), NaN = missing.

        Raises:
            ValueError: a step number does not fit.
        """
        if len(steps) and not 0 <= steps.min() <= steps.max() <= LAST_STEP:
            raise ValueError(f"step numbers from {steps.min()} to {steps.max()} do not fit into a ring")
        rows = np.zeros(len(steps), self._dtype())
        rows["mark"] = steps + 1
        rows["values"] = np.where(np.isnan(values), np.float32(np.nan), values)  # one bit pattern for every NaN
        packed, size = rows.tobytes(), self.row_bytes
        return [packed[i : i + size] for i in range(0, len(packed), size)]

    def ranges(self, first: int, length: int) -> list[tuple[int, int]]:
        """Closed byte ranges that hold ``length`` steps from ``first`` on: one, or two where they wrap around."""
        start = first % self.steps
        head = min(length, self.steps - start)
        parts = [(start, head)] + ([(0, length - head)] if head < length else [])
        return [(row * self.row_bytes, (row + count) * self.row_bytes - 1) for row, count in parts]

    def unpack(self, blocks: list[bytes], expected: Steps) -> Floats:
        """(block, time, width), NaN where the row of an expected step is missing.

        Args:
            blocks: per server the bytes of ``len(expected)`` rows, or fewer where the ring was never written.
            expected: (time,) the step number that each row must carry.
        """
        size = len(expected) * self.row_bytes
        joined = b"".join(block if len(block) == size else block.ljust(size, b"\0") for block in blocks)
        rows = np.frombuffer(joined, np.uint32).reshape(len(blocks), len(expected), 1 + self.width)
        values = rows[:, :, 1:].view(np.float32)
        there = rows[:, :, 0] == expected + 1
        there &= expected >= 0
        return values.copy() if there.all() else np.where(there[:, :, None], values, np.float32(np.nan))

    def _dtype(self) -> np.dtype[np.void]:
        return np.dtype([("mark", "<u4"), ("values", "<f4", (self.width,))])
