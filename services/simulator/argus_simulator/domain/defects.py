"""What a real transport does to samples: some are missing, doubled, late or stamped by a wrong clock."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Defects:
    """Shares between 0 and 1; ``skew_s`` shifts the clocks of ``skewed`` of the servers, to and fro."""

    missing: float = 0.0
    doubled: float = 0.0
    delayed: float = 0.0
    skewed: float = 0.0
    skew_s: float = 20.0


@dataclass(frozen=True, slots=True)
class Delivered:
    """Rows in order of delivery: ``server``, ``time_ms`` (row,) and ``values`` (row, metric)."""

    server: list[int]
    time_ms: list[int]
    values: npt.NDArray[np.float64]


class Transport:
    """Delivers ticks with defects that depend on the seed and the tick's number alone."""

    def __init__(self, defects: Defects, servers: int, seed: int) -> None:
        self._defects, self._seed, self._ticks = defects, seed, 0
        rng = self._rng()
        wrong = rng.random(servers) < defects.skewed
        self._skew_ms = np.where(wrong, np.round(rng.uniform(-1, 1, servers) * defects.skew_s * 1000), 0).astype(
            np.int64
        )
        self._held: list[tuple[int, int, npt.NDArray[np.float64]]] = []

    def deliver(
        self, time_s: float, values: npt.NDArray[np.float64], silent: npt.NDArray[np.bool_] | None = None
    ) -> Delivered:
        """What arrives at this tick: this tick's rows, less the missing, with those that were held back before.

        Args:
            time_s: event time.
            values: (server, metric).
            silent: (server,) servers that send nothing; none by default.
        """
        self._ticks += 1
        sending = np.ones(len(values), np.bool_) if silent is None else ~silent
        servers = np.flatnonzero(sending)
        stamps = round(time_s * 1000) + self._skew_ms
        if self._defects == Defects():
            return Delivered(servers.tolist(), stamps[servers].tolist(), values[servers])
        chance = self._rng().random((3, len(values)))
        arriving = sending & (chance[0] >= self._defects.missing)
        late = arriving & (chance[1] < self._defects.delayed)
        order = np.concatenate(
            [np.flatnonzero(arriving & ~late), np.flatnonzero(arriving & (chance[2] < self._defects.doubled))]
        )
        held, self._held = self._held, [(int(s), int(stamps[s]), values[s]) for s in np.flatnonzero(late)]
        return Delivered(
            order.tolist() + [server for server, _, _ in held],
            stamps[order].tolist() + [stamp for _, stamp, _ in held],
            np.concatenate([values[order], *(row[None] for _, _, row in held)]),
        )

    def _rng(self) -> np.random.Generator:
        return np.random.Generator(np.random.Philox(key=[self._seed, 5], counter=[0, 0, 0, self._ticks]))
