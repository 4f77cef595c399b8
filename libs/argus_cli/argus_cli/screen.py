"""Consoles."""

import os
from typing import TextIO

from rich.console import Console

FILE_WIDTH = 160
"""Columns where the output is no terminal: a table in a file or a pipe must not be cut to the 80 that rich supposes."""


def wide_console(stream: TextIO | None = None) -> Console:
    """A console as wide as its terminal, or wide enough for every table of ours where it has none."""
    console = Console(file=stream)
    if console.is_terminal or "COLUMNS" in os.environ:
        return console
    return Console(file=stream, width=FILE_WIDTH)
