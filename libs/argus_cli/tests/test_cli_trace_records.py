"""Rows become native records, column by column."""

import json
import math
from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from argus_cli.trace_records import Identity, encode, encode_in_slices

NEW_YEAR = 1_735_689_600_000


def rows(**columns: Sequence[object] | pl.Series) -> pl.DataFrame:
    count = len(next(iter(columns.values())))
    times = [NEW_YEAR + 300_000 * i for i in range(count)]
    return pl.DataFrame({"server": ["web1"] * count, "timestamp": times} | columns, strict=False)


def test_a_row_becomes_one_record_with_the_shortest_numbers() -> None:
    encoded = encode(rows(cpu=pl.Series([12.3], dtype=pl.Float32), net=[7]), Identity())
    assert encoded.keys == [b"web1"]
    assert encoded.values == [
        b'{"server":"web1","fleet":"default","timestamp":1735689600000,"metrics":{"cpu":12.3,"net":7}}'
    ]
    assert encoded.times.tolist() == [int(datetime(2025, 1, 1, tzinfo=UTC).timestamp() * 1000)]
    assert encoded.samples.tolist() == [2]


def test_what_is_missing_or_not_finite_is_absent() -> None:
    frame = rows(a=[None, 1.0, math.nan, math.inf], b=[1.0, None, 2.0, 3.0])
    metrics = [json.loads(value)["metrics"] for value in encode(frame, Identity()).values]
    assert metrics == [{"b": 1.0}, {"a": 1.0}, {"b": 2.0}, {"b": 3.0}]


def test_a_row_without_any_value_gives_no_record() -> None:
    encoded = encode(rows(a=[None, 1.0], b=[math.nan, None]), Identity())
    assert encoded.times.tolist() == [NEW_YEAR + 300_000]
    assert len(encoded) == len(encoded.values) == 1


def test_fleet_and_profile_come_from_the_trace_first_and_from_the_command_where_it_is_silent() -> None:
    frame = rows(fleet=["east", None, None], profile=[None, "database", None], a=[1, 2, 3])
    decoded = [json.loads(value) for value in encode(frame, Identity("west", "web_api")).values]
    assert [(record["fleet"], record["profile"]) for record in decoded] == [
        ("east", "web_api"),
        ("west", "database"),
        ("west", "web_api"),
    ]
    silent = json.loads(encode(rows(a=[1]), Identity()).values[0])
    assert (silent["fleet"], "profile" in silent) == ("default", False)


def test_names_with_quotes_backslashes_and_umlauts_survive() -> None:
    frame = pl.DataFrame({"server": ['a"b\\c'], "timestamp": [NEW_YEAR], 'größe "x"': [1.5]})
    decoded = json.loads(encode(frame, Identity("ö")).values[0])
    assert (decoded["server"], decoded["fleet"], decoded["metrics"]) == ('a"b\\c', "ö", {'größe "x"': 1.5})


@given(st.lists(st.floats(width=32, allow_nan=False, allow_infinity=False), min_size=1, max_size=30))
def test_every_float32_reads_back_as_the_same_float32(numbers: list[float]) -> None:
    frame = rows(a=pl.Series(numbers, dtype=pl.Float32))
    decoded = [json.loads(value)["metrics"]["a"] for value in encode(frame, Identity()).values]
    assert np.array(decoded, np.float32).tobytes() == np.array(numbers, np.float32).tobytes()


@given(st.integers(1, 12))
def test_slicing_does_not_change_the_records(size: int) -> None:
    frame = rows(a=[float(i) if i % 3 else None for i in range(10)])
    whole = encode(frame, Identity())
    slices = list(encode_in_slices(frame, Identity(), size))
    assert [value for part in slices for value in part.values] == whole.values
    assert [key for part in slices for key in part.keys] == whole.keys
