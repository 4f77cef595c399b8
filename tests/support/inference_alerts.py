"""Alerts driven by hand: what is remembered lives in memory, people say nothing unless told to."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from inference_domain import LEVELS, TARGETS
from prometheus_client import CollectorRegistry

from argus_common.clock import Clock, ManualClock
from argus_common.events import Record
from argus_common.retry import Backoff
from argus_forecasting.alarms import AlarmRule
from argus_forecasting.forecaster import Floats
from argus_inference.alert_metrics import AlertMetrics
from argus_inference.alerts import AlertService
from argus_inference.domain.alert_state import row_width
from argus_inference.domain.mitigation import Mitigations
from argus_inference.ports import KeptAlerts, Publisher

QUICK = Backoff(first=1e-9, longest=1e-9, give_up_after=3.5e-9)
RULE = AlarmRule()
WIDTH = row_width(RULE)


@dataclass
class MemoryAlerts:
    """An `AlertStore` in memory. ``failures``: what each of the next writes raises, None = nothing."""

    kept: dict[str, tuple[int, int, Floats, list[Record]]] = field(default_factory=dict)
    index: dict[int, set[str]] = field(default_factory=dict)
    times: dict[str, int] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    failures: list[Exception | None] = field(default_factory=list)

    async def read(self, names: Sequence[str]) -> KeptAlerts:
        nothing = -1, 0, np.zeros((len(TARGETS.names), WIDTH), np.float32), list[Record]()
        found = [self.kept.get(name, nothing) for name in names]
        rows = np.array([row for _, _, row, _ in found], np.float32).reshape(len(names), len(TARGETS.names), WIDTH)
        return KeptAlerts(
            np.array([step for step, *_ in found], np.int64),
            np.array([seconds for _, seconds, *_ in found], np.int64),
            rows,
            [list(unsent) for *_, unsent in found],
        )

    async def write(
        self, names: Sequence[str], partitions: Sequence[int], kept: KeptAlerts, standing: Sequence[bool]
    ) -> None:
        if self.failures and (failure := self.failures.pop(0)):
            raise failure
        self.log.append("alerts kept")
        for i, name in enumerate(names):
            unsent = list(kept.unsent[i])
            self.kept[name] = int(kept.steps[i]), int(kept.step_seconds[i]), kept.rows[i].copy(), unsent
            members = self.index.setdefault(partitions[i], set())
            (members.add if standing[i] or unsent else members.discard)(name)

    async def standing(self, partitions: Sequence[int]) -> dict[int, set[str]]:
        return {partition: set(self.index.get(partition, ())) for partition in partitions}

    async def clock(self, newest: dict[str, int]) -> dict[str, int]:
        if self.failures and (failure := self.failures.pop(0)):
            raise failure
        self.times |= {fleet: max(end, self.times.get(fleet, -1)) for fleet, end in newest.items()}
        return dict(self.times)


def alert_service(
    publisher: Publisher,
    registry: CollectorRegistry | None = None,
    store: MemoryAlerts | None = None,
    mitigations: Mitigations | None = None,
    clock: Clock | None = None,
) -> AlertService:
    """Over a store in memory."""
    return AlertService(
        RULE,
        TARGETS,
        LEVELS,
        store or MemoryAlerts(),
        publisher,
        mitigations or Mitigations(),
        AlertMetrics(registry or CollectorRegistry(), TARGETS.names),
        clock or ManualClock(),
        QUICK,
    )
