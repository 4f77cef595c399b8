"""A batch of one partition to columns: parse, number the servers, place the values, validate, in one pass."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from argus_common.errors import MalformedEventError
from argus_common.metrics import Aggregation, Catalogue
from argus_ingest.domain.mapping import Mapping
from argus_ingest.domain.native import MILLISECONDS_BELOW, SECONDS_BELOW, Labelled, NativeRecord, epoch_ms
from argus_ingest.domain.parse import Parsed, parse
from argus_ingest.domain.rows import Floats, Mask, SampleRows
from argus_ingest.domain.servers import ServerTable
from argus_ingest.domain.shapes import Shape, ShapeTable
from argus_ingest.domain.validate import Validator
from argus_ingest.domain.verdicts import Verdicts
from argus_ingest.domain.wide import WideDecoder


@dataclass(frozen=True, slots=True)
class Decoded:
    """What a batch held. ``source``: (row,) index of the Kafka record that each row came from."""

    rows: SampleRows
    source: npt.NDArray[np.int64]
    verdicts: Verdicts
    samples: int

    def unreadable(self) -> int:
        """Kafka records with a verdict of which nothing at all was kept."""
        kept = set(self.source.tolist())
        return sum(1 for record in self.verdicts.by_record if record not in kept)


@dataclass(slots=True)
class _Group:
    """Records of one shape: their row numbers and all their values, end to end."""

    rows: list[int] = field(default_factory=list)
    values: list[float | None] = field(default_factory=list)


class Decoder:
    """Decodes the batches of any partition. Holds no state but caches and the numbers of the servers."""

    def __init__(self, catalogue: Catalogue, mapping: Mapping, servers: ServerTable, max_future_ms: int) -> None:
        self._servers = servers
        self._shapes = ShapeTable(catalogue, mapping)
        self._validator = Validator(catalogue, max_future_ms)
        self._wide = WideDecoder(catalogue, mapping, self._shapes)
        received = catalogue.received()
        self._metrics = len(received)
        counters = any(metric.aggregation is Aggregation.RATE for metric in received)
        self._precision: type[np.floating] = np.float64 if counters else np.float32

    def decode(self, values: Sequence[bytes | None], offsets: Sequence[int], now_ms: int) -> Decoded:
        """Rows in order of arrival, and a verdict for everything that was refused. Zero has no sign in them.

        Args:
            values: the Kafka records' values.
            offsets: their offsets.
            now_ms: the wall clock, epoch milliseconds; samples too far ahead of it are refused.
        """
        verdicts = Verdicts()
        wide = self._wide.decode(values)
        if wide is not None:
            sources = list(range(len(wide)))
            server, time_ms = self._label(wide, sources, verdicts)
            matrix = self._wide.place(wide, self._metrics)
        else:
            parsed = parse(values, verdicts)
            sources = parsed.source
            server, time_ms = self._label(parsed.records, sources, verdicts)
            matrix = self._place(parsed, verdicts)
        source = np.array(sources, np.int64)
        self._validator.check_times(time_ms, server, source, now_ms, verdicts)
        self._validator.check_values(matrix, server, source, verdicts)
        known = np.isfinite(matrix)
        anything: Mask = np.asarray(known.any(axis=1))
        kept = (server >= 0) & anything
        self._explain_empty(source, anything, verdicts)
        arrived = np.array(offsets, np.int64)[source]
        samples: Floats = matrix.astype(self._precision)
        samples += 0  # a negative zero becomes zero, or which of two equal samples counts would show
        rows = SampleRows(server, time_ms, arrived, samples)
        if kept.all():
            return Decoded(rows, source, verdicts, int(known.sum()))
        return Decoded(rows.take(kept), source[kept], verdicts, int(known[kept].sum()))

    def _label(
        self, records: Sequence[Labelled], sources: list[int], verdicts: Verdicts
    ) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
        """Server numbers (−1 = refused) and event times of the records."""
        number_of, unnamed = self._servers.ids.get, self._servers.unnamed
        servers: list[int] = []
        times: list[int] = []
        for record, index in zip(records, sources, strict=True):
            number = number_of(f"{record.fleet}/{record.server}", -1)
            moment = record.timestamp
            if (
                number < 0
                or (unnamed and record.profile)
                or type(moment) is not int
                or not SECONDS_BELOW <= moment < MILLISECONDS_BELOW
            ):
                number, moment = self._label_slowly(record, index, verdicts)
            servers.append(number)
            times.append(moment)
        return np.array(servers, np.int32), np.array(times, np.int64)

    def _label_slowly(self, record: Labelled, index: int, verdicts: Verdicts) -> tuple[int, int]:
        try:
            moment = epoch_ms(record.timestamp)
            return self._servers.add(record.fleet, record.server, record.profile), moment
        except MalformedEventError as error:
            verdicts.reject(index, error.reason, str(error))
            return -1, 0

    def _place(self, parsed: Parsed, verdicts: Verdicts) -> npt.NDArray[np.float64]:
        """(row, metric) values in catalogue units, NaN = no sample."""
        matrix = np.full((len(parsed.records), self._metrics), np.nan)
        for names, group in _groups(parsed.records).items():
            shape = self._shapes.resolve(names)
            rows = np.array(group.rows, np.int64)
            if shape.unknown:
                self._refuse_unknown(shape, [parsed.source[row] for row in group.rows], verdicts)
            if len(shape.columns):
                block = np.array(group.values, np.float64).reshape(len(rows), len(names))
                matrix[rows] = shape.place(block, self._metrics)
        return matrix

    @staticmethod
    def _explain_empty(source: npt.NDArray[np.int64], anything: Mask, verdicts: Verdicts) -> None:
        for record in source[~anything].tolist():
            if record not in verdicts.by_record:
                verdicts.reject(record, "empty", "the record holds no value of any metric")

    @staticmethod
    def _refuse_unknown(shape: Shape, sources: list[int], verdicts: Verdicts) -> None:
        names = ", ".join(name[:80] for name in shape.unknown[:10])
        more = f" and {len(shape.unknown) - 10} more" if len(shape.unknown) > 10 else ""
        for source in sources:
            verdicts.reject(source, "unknown_metric", f"{names}{more}: not in the catalogue; map, ignore or add them")


def _groups(records: list[NativeRecord]) -> dict[tuple[str, ...], _Group]:
    groups: dict[tuple[str, ...], _Group] = {}
    for row, record in enumerate(records):
        metrics = record.metrics
        if metrics is None:
            if record.metric is None:
                continue
            metrics = {record.metric: record.value}
        names = tuple(metrics)
        group = groups.get(names)
        if group is None:
            group = groups[names] = _Group()
        group.rows.append(row)
        group.values.extend(metrics.values())
    return groups
