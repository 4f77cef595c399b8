"""Records to a file, exactly as on the wire."""

from pathlib import Path

from argus_simulator.adapters.truth_lines import append_lines, encode_truth
from argus_simulator.domain.defects import Delivered
from argus_simulator.domain.simulation import Tick
from argus_simulator.domain.wire import Renderer


class NdjsonSink:
    """A line per record in ``file`` and, where given, per truth in ``truth``. What they held before is lost."""

    def __init__(self, file: Path, renderer: Renderer, truth: Path | None) -> None:
        self._file, self._renderer, self._truth = file, renderer, truth
        for target in (file, truth):
            if target is not None:
                target.write_bytes(b"")

    async def write(self, rows: Delivered, tick: Tick) -> int:
        """Append the records and the truth."""
        if self._truth is not None:
            append_lines(self._truth, encode_truth(tick.truth))
        lines = [value for _, value in self._renderer.records(rows)]
        append_lines(self._file, lines)
        return len(lines)

    async def flush(self) -> None:
        """Nothing is kept."""
