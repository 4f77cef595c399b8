"""Arrays with a row per server and a column per target and direction; both come and go."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Ints = npt.NDArray[np.int64]


@dataclass(slots=True)
class Rows:
    """Named arrays that begin with a server axis, grown together. ``empty``: the row of a server just met."""

    empty: Mapping[str, Array]
    names: tuple[str, ...] = ()
    arrays: dict[str, Array] = field(default_factory=dict)
    _place: dict[str, int] = field(default_factory=dict)
    _last: tuple[tuple[str, ...], Ints] | None = None

    def __post_init__(self) -> None:
        if not self.arrays:
            self.arrays = {name: np.empty((0, *row.shape), row.dtype) for name, row in self.empty.items()}
        self._place = {name: i for i, name in enumerate(self.names)}

    def of(self, servers: tuple[str, ...]) -> Ints:
        """(server,) the rows of ``servers``; those not met before get one at the end."""
        if self._last is not None and self._last[0] == servers:
            return self._last[1]
        new = tuple(name for name in servers if name not in self._place)
        if new:
            self._grow(new)
        rows = np.fromiter((self._place[name] for name in servers), np.int64, len(servers))
        self._last = (servers, rows)
        return rows

    def keep(self, wanted: npt.NDArray[np.bool_]) -> None:
        """Forget the rows that are not wanted."""
        self.names = tuple(name for name, kept in zip(self.names, wanted.tolist(), strict=True) if kept)
        self.arrays = {name: array[wanted] for name, array in self.arrays.items()}
        self._place = {name: i for i, name in enumerate(self.names)}
        self._last = None

    def _grow(self, new: tuple[str, ...]) -> None:
        for name, row in self.empty.items():
            more = np.broadcast_to(row, (len(new), *row.shape))
            self.arrays[name] = np.concatenate([self.arrays[name], more])
        for name in new:
            self._place[name] = len(self._place)
        self.names = (*self.names, *new)
