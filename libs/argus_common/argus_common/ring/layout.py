"""How a ring lies in memory: rows of ``[uint32 step number, float32 × width]`` at position step number mod N."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Steps = npt.NDArray[np.int64]

DEFAULT_STEPS = 2304
"""Eight days of five-minute steps, so that the same time last week is always there."""


@dataclass(frozen=True, slots=True)
class RingLayout:
    """A ring of ``steps`` rows with ``width`` values each. A row whose step number is another one is missing."""

    width: int
    steps: int = DEFAULT_STEPS

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
        """One row per element. ``values``: (row, width), NaN = missing."""
        rows = np.zeros(len(steps), self._dtype())
        rows["step"] = steps
        rows["values"] = values
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
        if (rows[:, :, 0] == expected).all():
            return values.copy()
        return np.where((rows[:, :, 0] == expected)[:, :, None], values, np.float32(np.nan))

    def _dtype(self) -> np.dtype[np.void]:
        return np.dtype([("step", "<u4"), ("values", "<f4", (self.width,))])
