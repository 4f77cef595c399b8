"""What the files of the archive are called, so that writing one again writes the same one.

A piece holds what lay in a range of offsets of one partition. Its mark tells what is in it: a topic that was created
anew counts its offsets from zero again, and its windows must not take the place of older ones. Ranges may overlap
where a process died between writing and committing; a window that is in two files is read once.
"""

import hashlib
from collections.abc import Iterable

PIECE, WHOLE = "piece", "whole"


def piece(partition: int, first: int, last: int, mark: str) -> str:
    """The file of the records ``first`` to ``last`` of a partition.

    >>> piece(3, 100, 199, "0badcafe")
    'piece-00003-00000000000000000100-00000000000000000199-0badcafe.parquet'
    """
    return f"{PIECE}-{partition:05d}-{first:020d}-{last:020d}-{mark}.parquet"


def whole(sources: Iterable[str]) -> str:
    """The file that takes the place of ``sources``. Named after them: two processes that compact a day at once, one of
    which saw a file more, write two files, and each deletes only what its own holds.

    >>> whole(["b", "a"]) == whole(["a", "b"])
    True
    """
    return f"{WHOLE}-{hashlib.sha256(' '.join(sorted(sources)).encode()).hexdigest()[:16]}.parquet"


def in_order(names: Iterable[str]) -> list[str]:
    """Compacted files first: what was read from the topic later wins."""
    return sorted(names, key=lambda name: (not name.startswith(WHOLE), name))
