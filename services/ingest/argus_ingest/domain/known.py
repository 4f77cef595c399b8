"""What a partition knows of its servers, and when it forgets one that is gone.

A server that was heard, or has a head (its last closed step) from before a restart, is *known*. It is forgotten once
its head lies further behind the others than anything is kept, and nothing came from it meanwhile. Of all that were
forgotten one number stays, the newest of their heads: a server that is not known begins after it, so that no window
that was published is ever made a second time.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from argus_ingest.domain.rows import Ints, Mask
from argus_ingest.domain.servers import ServerTable
from argus_ingest.domain.steps import NEVER

QUIET_STEPS = 12
"""For so long, in the others' event time, a server must have sent nothing to be gone: one whose clock is days behind
is alive.
"""

Seconds = npt.NDArray[np.float64]
ValueT = TypeVar("ValueT", bound=np.generic)


class KnownServers:
    """Columns by server number (server,): ``newest`` event time, last ``closed`` step, when ``seen`` (monotonic
    seconds), ``heard`` since silence was judged, ``dirty`` where the head moved since it was saved. Of a server that
    is not known ``newest`` is 0 and ``closed`` the floor.

    Args:
        servers: numbers of all servers of all partitions; may grow between calls.
        heads: last closed step by server name, from before a restart.
        floor: the newest head of those that were forgotten before a restart.
    """

    def __init__(self, servers: ServerTable, heads: Mapping[str, int], floor: int = NEVER) -> None:
        self._servers, self._unheard, self.floor = servers, dict(heads), floor
        self._unheard_heads: Ints = np.zeros(0, np.int64)
        self._forgotten: list[str] = []
        self._began: int | None = None
        self.newest: Ints = np.zeros(0, np.int64)
        self.closed: Ints = np.zeros(0, np.int64)
        self.seen: Seconds = np.zeros(0)
        self.dirty: Mask = np.zeros(0, bool)
        self.heard: Mask = np.zeros(0, bool)
        self._restored: Mask = np.zeros(0, bool)
        self._heard_at: Ints = np.zeros(0, np.int64)

    def __len__(self) -> int:
        return len(self.newest)

    def known(self) -> Mask:
        """The servers of this partition, among all that have a number."""
        return self._restored | (self.newest > 0)

    def grow(self, now: float) -> None:
        """Make room for the servers that were numbered since the last call."""
        names = self._servers.names[len(self) :]
        if not names:
            return
        heads = [self._unheard.pop(name, None) for name in names]
        closed = [self.floor if head is None else head for head in heads]
        self.newest = _longer(self.newest, [0] * len(names))
        self.closed = _longer(self.closed, closed)
        self.seen = _longer(self.seen, [now] * len(names))
        self.dirty = _longer(self.dirty, [False] * len(names))
        self._restored = _longer(self._restored, [head is not None for head in heads])
        self.heard = _longer(self.heard, [True] * len(names))
        self._heard_at = _longer(self._heard_at, [0] * len(names))

    def renumber(self, kept: Mask) -> None:
        """The servers in ``kept`` (server,) are numbered anew, in their order, without the others."""
        self.newest, self.closed, self.seen = self.newest[kept], self.closed[kept], self.seen[kept]
        self.dirty, self._restored = self.dirty[kept], self._restored[kept]
        self.heard, self._heard_at = self.heard[kept], self._heard_at[kept]

    def heads(self) -> dict[str, int]:
        """Last closed step of every server of this partition."""
        return self._unheard | self._heads_of(self.known() & (self.closed > NEVER))

    def take_moved(self) -> dict[str, int]:
        """The heads that moved since the last call."""
        moved, self.dirty = self.dirty, np.zeros(len(self), bool)
        return self._heads_of(moved)

    def take_forgotten(self) -> list[str]:
        """The servers that were forgotten since the last call."""
        forgotten, self._forgotten = self._forgotten, []
        return forgotten

    def fleets(self) -> set[str]:
        """The fleets of the servers of this partition."""
        numbered = {self._servers.fleets[i] for i in np.flatnonzero(self.known()).tolist()}
        return numbered | {name.partition("/")[0] for name in self._unheard}

    def reached(self) -> int:
        """The step that the server in the middle is in, `NEVER` where no server has a head."""
        if len(self._unheard_heads) != len(self._unheard):
            self._unheard_heads = np.fromiter(self._unheard.values(), np.int64, len(self._unheard))
        heads = np.concatenate([self.closed[self.known()], self._unheard_heads])
        return int(np.median(heads)) + 1 if len(heads) else NEVER

    def forget(self, before: int, reached: int, busy: Callable[[], Mask]) -> tuple[Mask, list[str]]:
        """Forget the servers with a head before the step ``before`` that have been quiet for `QUIET_STEPS`.

        Args:
            before: later heads stay.
            reached: the step that the others are in; how long a server is quiet is measured by it from call to call.
            busy: (server,) servers with open steps, which stay; asked only where it matters.

        Returns:
            (server,) who was forgotten, of those that have a number; the names of all.
        """
        self._heard_at[self.heard] = reached
        self.heard[:] = False
        self._began = reached if self._began is None else self._began
        quiet_since = reached - QUIET_STEPS
        gone = self.known() & (self.closed < before) & (self._heard_at <= quiet_since)
        if gone.any():
            gone &= ~busy()
        names = self._heads_of(gone)
        if self._began <= quiet_since:
            names |= {name: head for name, head in self._unheard.items() if head < before}
        if names:
            self._drop(names, gone)
        return gone, list(names)

    def _drop(self, heads: Mapping[str, int], numbered: Mask) -> None:
        self._forgotten += heads
        for name in heads:
            self._unheard.pop(name, None)
        self.floor = max(self.floor, *heads.values())
        self.newest[numbered] = 0
        self._restored[numbered] = self.dirty[numbered] = False
        unknown = ~self.known()
        self.closed[unknown] = self.floor

    def _heads_of(self, servers: Mask) -> dict[str, int]:
        return {self._servers.names[i]: int(self.closed[i]) for i in np.flatnonzero(servers).tolist()}


def _longer(column: npt.NDArray[ValueT], values: Sequence[object]) -> npt.NDArray[ValueT]:
    return np.concatenate([column, np.array(values, column.dtype)])
