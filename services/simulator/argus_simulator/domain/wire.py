"""Ticks to the bytes of native records, from templates: one formatting call per record."""

from collections.abc import Iterator
from enum import StrEnum

import msgspec

from argus_simulator.domain.defects import Delivered
from argus_simulator.domain.fleet import Fleet
from argus_simulator.domain.world import METRICS

Record = tuple[bytes, bytes]
"""(key, value)."""


class Form(StrEnum):
    """How samples are put into records."""

    WIDE = "wide"
    SINGLE = "single"
    BATCH = "batch"


BATCH_RECORDS = 50


class Renderer:
    """Renders the delivered rows of a tick; values have at most four decimals."""

    def __init__(self, fleet: Fleet, fleet_name: str, form: Form) -> None:
        self._form = form
        self._keys = [name.encode() for name in fleet.names]
        heads = [self._head(fleet, server, fleet_name) for server in range(len(fleet))]
        values = ",".join(f'"{name}":%s' for name in METRICS)
        self._wide = [f'{head},"metrics":{{{values}}}}}' for head in heads]
        self._single = [[f'{head},"metric":"{name}","value":%s}}' for name in METRICS] for head in heads]

    def records(self, rows: Delivered) -> Iterator[Record]:
        """The records of these rows, in order."""
        render = {Form.WIDE: self._wide_records, Form.SINGLE: self._single_records, Form.BATCH: self._batches}
        return render[self._form](rows)

    def _wide_records(self, rows: Delivered) -> Iterator[Record]:
        for server, time_ms, values in zip(rows.server, rows.time_ms, rows.values.tolist(), strict=True):
            yield self._keys[server], (self._wide[server] % (time_ms, *values)).encode()

    def _single_records(self, rows: Delivered) -> Iterator[Record]:
        for server, time_ms, values in zip(rows.server, rows.time_ms, rows.values.tolist(), strict=True):
            for template, value in zip(self._single[server], values, strict=True):
                yield self._keys[server], (template % (time_ms, value)).encode()

    def _batches(self, rows: Delivered) -> Iterator[Record]:
        by_server: dict[bytes, list[bytes]] = {}
        for key, value in self._wide_records(rows):
            by_server.setdefault(key, []).append(value)
        for key, values in by_server.items():
            for begin in range(0, len(values), BATCH_RECORDS):
                yield key, b"[" + b",".join(values[begin : begin + BATCH_RECORDS]) + b"]"

    @staticmethod
    def _head(fleet: Fleet, server: int, fleet_name: str) -> str:
        labels = {"server": fleet.names[server], "fleet": fleet_name, "profile": fleet.profile_of(server).name}
        fixed = msgspec.json.encode(labels).decode().rstrip("}")
        return fixed.replace("%", "%%") + ',"timestamp":%d'
