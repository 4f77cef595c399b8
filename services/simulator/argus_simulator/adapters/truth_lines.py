"""Truth, and other lines, to NDJSON files."""

from collections.abc import Sequence
from pathlib import Path

import msgspec

from argus_simulator.domain.truth import Truth, document


def encode_truth(truth: Sequence[Truth]) -> list[bytes]:
    """A line each."""
    return [msgspec.json.encode(document(what)) for what in truth]


def append_lines(file: Path, lines: Sequence[bytes]) -> None:
    """Append to an NDJSON file."""
    if lines:
        with file.open("ab") as out:
            out.write(b"\n".join(lines) + b"\n")
