"""The folder of a training, where the service and its job meet: an order in, progress and a result out.

Every file is whole or not there. On Kubernetes the folder lies on a volume that both mount.
"""

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from argus_common.errors import ConfigurationError
from argus_common.events import GateResult
from argus_common.events.training import FailedReason
from argus_retrainer.adapters.parquet_spans import table
from argus_retrainer.domain.gate import GateRules
from argus_retrainer.domain.spans import Span

ORDER, PROGRESS, RESULT, LOG, LOCK, SPANS = (
    "order.json",
    "progress.json",
    "result.json",
    "job.log",
    "job.lock",
    "exclude.parquet",
)
TRACE, CHECKPOINT, STAGING, GATE, LAUNCHES = "trace", "checkpoint", "staging", "gate.json", "launches.json"
BULKY = (TRACE, f".{TRACE}.part", "array", CHECKPOINT, STAGING)


@dataclass(frozen=True, slots=True)
class JobOrder:
    """What to train. ``started_ms``: of the training. ``archive``, ``models``: places. ``days``: of the archive, the
    newest. ``held_out_days``: the newest of them, for the gate. ``champion``: version that serves, None = none.
    ``steps``, ``horizon``: None = the preset's. ``catalogue``: file that extends the metric catalogue. ``niceness``:
    how much the job gives way to others, 0 … 19.
    """

    model: str
    version: str
    started_ms: int
    archive: str
    models: str
    days: int
    held_out_days: int
    champion: str | None
    family: str
    preset: str
    steps: int | None
    horizon: int | None
    warm_start: bool
    seed: int
    catalogue: str | None
    niceness: int
    gate: GateRules


class JobResult(BaseModel):
    """How a job ended: with a version and its gate, or with a reason for none."""

    model_config = ConfigDict(frozen=True)

    outcome: Literal["passed", "rejected", "failed"]
    ended_ms: int
    family: str = ""
    manifest_sha256: str = ""
    uri: str = ""
    scores: dict[str, float] = {}
    gate: GateResult | None = None
    reason: FailedReason = "unknown"
    detail: str = ""


@dataclass(frozen=True, slots=True)
class JobProgress:
    """Where a job is: ``stage``; ``done`` of ``total`` steps; ``loss`` on the validation part, None = none."""

    stage: str = ""
    done: int = 0
    total: int = 0
    loss: float | None = None


@dataclass(frozen=True, slots=True)
class JobFolder:
    """The files of one training under ``place``."""

    place: Path

    def write_order(self, order: JobOrder) -> None:
        """Once, before the job is launched."""
        self.place.mkdir(parents=True, exist_ok=True)
        self._write(ORDER, json.dumps(asdict(order), indent=1))

    def order(self) -> JobOrder | None:
        """What was ordered; None = nothing yet.

        Raises:
            ConfigurationError: the file is not an order.
        """
        found = self._read(ORDER)
        if found is None:
            return None
        try:
            return JobOrder(**{**found, "gate": GateRules(**found["gate"])})
        except (TypeError, KeyError) as error:
            raise ConfigurationError(f"{self.place / ORDER}: not an order of this version of Argus: {error}") from error

    def write_spans(self, spans: set[Span]) -> None:
        """Before the order: what must not be learned from."""
        self.place.mkdir(parents=True, exist_ok=True)
        unfinished = self.place / f".{SPANS}.part"
        table(spans).write_parquet(unfinished)
        unfinished.replace(self.place / SPANS)

    def write_progress(self, progress: JobProgress) -> None:
        """Tell where the job is."""
        self._write(PROGRESS, json.dumps(asdict(progress)))

    def progress(self) -> JobProgress:
        """What was told last."""
        found = self._read(PROGRESS)
        return JobProgress() if found is None else JobProgress(**found)

    def write_gate(self, gate: GateResult) -> None:
        """Keep what was measured: it would not be measured twice alike."""
        self._write(GATE, gate.model_dump_json())

    def gate(self) -> GateResult | None:
        """What was measured before; None = nothing yet."""
        found = self._read(GATE)
        return None if found is None else GateResult.model_validate(found)

    def write_result(self, result: JobResult) -> None:
        """The last thing that a job does."""
        self._write(RESULT, result.model_dump_json(indent=1))

    def result(self) -> JobResult | None:
        """How it ended; None = not yet.

        Raises:
            ConfigurationError: the file is not a result.
        """
        found = self._read(RESULT)
        try:
            return None if found is None else JobResult.model_validate(found)
        except ValidationError as error:
            raise ConfigurationError(f"{self.place / RESULT}: not a result: {error.errors()[0]['msg']}") from error

    def launches(self) -> int:
        """How often its job was started."""
        return int(self._read(LAUNCHES) or 0)

    def count_launch(self) -> None:
        """Before the job is started."""
        self._write(LAUNCHES, str(self.launches() + 1))

    def tail(self, characters: int = 2000) -> str:
        """The end of the log."""
        log = self.place / LOG
        return log.read_text(errors="replace")[-characters:] if log.exists() else ""

    def clear(self) -> None:
        """Delete what takes room; the order, the log and the result stay for whoever wants to look."""
        for name in BULKY:
            shutil.rmtree(self.place / name, ignore_errors=True)

    def _write(self, name: str, text: str) -> None:
        unfinished = self.place / f".{name}.part"
        unfinished.write_text(text)
        unfinished.replace(self.place / name)

    def _read(self, name: str) -> Any:  # noqa: ANN401 - plain JSON
        try:
            return json.loads((self.place / name).read_text())
        except FileNotFoundError:
            return None
        except ValueError as error:
            raise ConfigurationError(f"{self.place / name}: not JSON: {error}") from error
