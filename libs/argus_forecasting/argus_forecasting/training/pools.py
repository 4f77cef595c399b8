"""Batches for training: pools of fresh windows, each used a few times, the same for the same seed and position."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import IterableDataset, get_worker_info

from argus_common.metrics import Catalogue
from argus_forecasting.features.inputs import prepare
from argus_forecasting.features.schema import FeatureSchema
from argus_forecasting.trace_store import TraceStore
from argus_forecasting.training.sampling import Sampler, Span
from argus_forecasting.training.windows import Places, batch, truth

Batch = dict[str, torch.Tensor]
CHUNK = 128
"""Windows whose inputs are made at once: they stay in the processor's cache."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where windows come from."""

    store: TraceStore
    schema: FeatureSchema
    catalogue: Catalogue
    sampler: Sampler


def windows(source: Source, at: Places) -> Batch:
    """Inputs, and under ``truth`` what came, (window, lead) in the window's units, NaN = not observed."""
    parts: list[dict[str, np.ndarray]] = []
    for begin in range(0, len(at), CHUNK):
        some = at.part(slice(begin, begin + CHUNK))
        prepared = prepare(batch(source.store, some, source.schema, source.catalogue), source.schema)
        ahead = prepared.scale.forward(truth(source.store, some, source.schema.horizon))
        parts.append({**prepared.inputs.arrays(), "truth": ahead.astype(np.float32)})
    return {name: torch.from_numpy(np.concatenate([part[name] for part in parts])) for name in parts[0]}


@dataclass(frozen=True, slots=True)
class PoolPlan:
    """``size`` windows per pool, in batches of ``batch``, each pool gone through ``passes`` times. ``hidden``: share of
    windows whose profile is not told, of those whose target is not, and of those whose server's other metrics are not:
    so a model learns to do without.
    """

    size: int
    batch: int
    passes: int
    seed: int
    hidden: float = 0.2

    @property
    def batches(self) -> int:
        """Batches that a pool yields."""
        return self.passes * (self.size // self.batch)


@dataclass(frozen=True, slots=True)
class Share:
    """Which of the batches belong to this process of a training on several devices: every ``of``-th."""

    rank: int = 0
    of: int = 1


class TrainingBatches(IterableDataset[Batch]):
    """An endless row of batches from the ``start``-th on; it depends on the seed, the number of workers and the share
    alone, and no two shares have a pool in common.
    """

    def __init__(self, source: Source, span: Span, plan: PoolPlan, start: int = 0, share: Share | None = None) -> None:
        super().__init__()
        self._source, self._span, self._plan, self._start = source, span, plan, start
        self._share = share or Share()

    def __iter__(self) -> Iterator[Batch]:
        torch.set_num_threads(1)
        worker = get_worker_info()
        number, count = (worker.id, worker.num_workers) if worker else (0, 1)
        first = self._start + number
        position = first // count
        number = first % count
        while True:
            pool, within = divmod(position, self._plan.batches)
            turn = pool * count + number
            for one in self._pool(turn * self._share.of + self._share.rank, within):
                yield one
                position += 1

    def _pool(self, number: int, within: int) -> Iterator[Batch]:
        plan = self._plan
        rng = np.random.default_rng([plan.seed, number])
        at = self._source.sampler.draw(self._span, plan.size, self._source.schema.horizon, rng)
        everything = windows(self._source, at)
        _hide(everything, plan.hidden, rng)
        per_pass = plan.size // plan.batch
        orders = [rng.permutation(plan.size) % len(at) for _ in range(plan.passes)]
        for batch_number in range(within, plan.batches):
            turn, begin = divmod(batch_number, per_pass)
            rows = torch.from_numpy(orders[turn][begin * plan.batch : (begin + 1) * plan.batch])
            yield {name: values[rows] for name, values in everything.items()}


def _hide(everything: Batch, share: float, rng: np.random.Generator) -> None:
    for names in (("profile",), ("target",), ("covariates", "fleet")):
        rows = torch.from_numpy(np.flatnonzero(rng.random(len(everything["truth"])) < share))
        for name in names:
            everything[name][rows] = 0
