"""What truly happened in a trace: incidents, from the simulator's truth or from a table."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from argus_common.errors import ConfigurationError

COLUMNS = ("start", "end", "members", "origin")


@dataclass(frozen=True, slots=True)
class Incident:
    """``begins``: server → step in which its trouble began; of a table that knows no more, all begin with the first.
    ``end``: last step. ``origin``: where it began, None = nobody knows.
    """

    begins: Mapping[str, int]
    end: int
    origin: str | None
    fleet: str | None = None
    begin: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "begin", min(self.begins.values()))

    @property
    def second(self) -> int | None:
        """The step in which the second member's trouble began, None = there is none, or nobody knows."""
        later = sorted(self.begins.values())
        return later[1] if len(set(later)) > 1 else None


def read_truth(file: Path, step_seconds: int) -> list[Incident]:
    """The incidents of a file, in the order of their beginnings.

    Either what ``argus simulate --truth`` wrote (each failure that had consequences is an incident with them), or a
    Parquet table of ``start``, ``end`` (UTC), ``members`` (list of servers), ``origin`` (may be null) and, where there
    are several, ``fleet``.

    Raises:
        ConfigurationError: the file is neither.
    """
    found = _table(file, step_seconds) if file.suffix == ".parquet" else _simulated(file, step_seconds)
    return sorted(found, key=lambda incident: incident.begin)


def _simulated(file: Path, step_seconds: int) -> list[Incident]:
    try:
        lines = [msgspec.json.decode(line) for line in file.read_bytes().splitlines()]
        faults = {line["number"]: line for line in lines if line["what"] == "fault"}
    except (msgspec.DecodeError, KeyError, TypeError) as error:
        raise ConfigurationError(f"{file}: expected the simulator's truth, a JSON document a line ({error})") from error
    together: dict[int, list[dict[str, Any]]] = {}
    for fault in faults.values():
        together.setdefault(_root(fault, faults), []).append(fault)
    return [
        Incident(
            {fault["server"]: int(fault["begin_s"] // step_seconds) for fault in group},
            int(max(fault["end_s"] for fault in group) // step_seconds),
            faults[root]["server"],
        )
        for root, group in together.items()
        if len({fault["server"] for fault in group}) > 1
    ]


def _root(fault: dict[str, Any], faults: Mapping[int, dict[str, Any]]) -> int:
    while fault["caused_by"] in faults:
        fault = faults[fault["caused_by"]]
    return int(fault["number"])


def _table(file: Path, step_seconds: int) -> list[Incident]:
    rows = pl.read_parquet(file)
    missing = [name for name in COLUMNS if name not in rows.columns]
    if missing:
        raise ConfigurationError(f"{file}: no column {', '.join(missing)}; expected {', '.join(COLUMNS)}")
    times = [pl.col(name).dt.epoch("s") // step_seconds for name in ("start", "end")]
    return [
        Incident(dict.fromkeys(row["members"], row["start"]), row["end"], row["origin"], row.get("fleet"))
        for row in rows.with_columns(times).iter_rows(named=True)
        if row["members"]
    ]
