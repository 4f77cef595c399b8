"""Everything a record may look like, and what becomes of it; the neighbours of a bad one are always kept."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ingest_domain import START_MS, record

from argus_common.metrics import DEFAULT_CATALOGUE, Catalogue
from argus_ingest.domain.decode import Decoded, Decoder
from argus_ingest.domain.mapping import Mapping
from argus_ingest.domain.servers import ServerTable

MAX_FUTURE_MS = 300_000
NAMES = tuple(metric.name for metric in DEFAULT_CATALOGUE.received())
GOOD = record("web1", cpu_idle_pct=40)


def decode(
    *values: bytes | None,
    mapping: Mapping | None = None,
    servers: ServerTable | None = None,
    catalogue: Catalogue = DEFAULT_CATALOGUE,
) -> Decoded:
    table = ServerTable() if servers is None else servers
    decoder = Decoder(catalogue, mapping or Mapping(), table, MAX_FUTURE_MS)
    return decoder.decode(values, range(100, 100 + len(values)), START_MS)


def samples(decoded: Decoded, catalogue: Catalogue = DEFAULT_CATALOGUE) -> list[dict[str, float]]:
    """Name → value of each row, the present ones only."""
    names = [metric.name for metric in catalogue.received()]
    rows = [zip(names, row.tolist(), strict=True) for row in decoded.rows.values]
    return [{name: value for name, value in row if not np.isnan(value)} for row in rows]


def reason(decoded: Decoded, index: int) -> str:
    return decoded.verdicts.summary(index)[0]


def detail(decoded: Decoded, index: int) -> str:
    return decoded.verdicts.summary(index)[1]


def test_a_wide_record_becomes_a_row() -> None:
    decoded = decode(record("web1", cpu_idle_pct=40, mem_used_pct=12.5, swap_used_pct=None))
    assert samples(decoded) == [{"cpu_idle_pct": 40, "mem_used_pct": 12.5}]
    assert decoded.rows.time_ms.tolist() == [START_MS]
    assert decoded.rows.offset.tolist() == [100]
    assert decoded.samples == 2
    assert decoded.verdicts.by_record == {}


def test_a_record_of_one_sample_becomes_a_row() -> None:
    one = {"server": "web1", "timestamp": "2025-01-01T00:00:05Z", "metric": "load_average", "value": 1.5}
    decoded = decode(json.dumps(one).encode())
    assert samples(decoded) == [{"load_average": 1.5}]
    assert decoded.rows.time_ms.tolist() == [START_MS + 5000]


FLAT = {
    "timestamp": "2025-01-01T00:00:05",
    "server_name": "ppweb001",
    "status": "healthy",
    "cpu_user_pct": 20,
    "cpu_sys_pct": 5,
    "cpu_iowait_pct": 1,
    "cpu_idle_pct": 74,
    "java_cpu_pct": 3,
    "mem_used_pct": 60,
    "swap_used_pct": 2,
    "disk_usage_pct": 50,
    "net_in_mb_s": 8,
    "net_out_mb_s": 4,
    "back_close_wait": 7,
    "front_close_wait": 6,
    "load_average": 2,
    "uptime_days": 25,
}


def test_the_flat_form_of_17_fields_is_read_whole() -> None:
    servers = ServerTable()
    decoded = decode(json.dumps(FLAT).encode(), servers=servers)
    assert len(FLAT) == 17
    assert samples(decoded) == [{name: float(FLAT[name]) for name in NAMES}]  # type: ignore[arg-type]
    assert servers.names == ["default/ppweb001"]
    assert decoded.verdicts.by_record == {}


def test_the_hidden_cause_of_a_simulator_is_never_an_input() -> None:
    flat = FLAT | {"cascade_impact": 0.5, "problem_child": True, "notes": "x", "profile": "web_api", "fleet": "b"}
    servers = ServerTable()
    decoded = decode(json.dumps(flat).encode(), servers=servers)
    assert decoded.samples == 14
    assert decoded.verdicts.by_record == {}
    assert (servers.names, servers.profiles) == (["b/ppweb001"], ["web_api"])


@pytest.mark.parametrize("form", ["[%s,%s]", " [%s,%s]\n", '{"records":[%s,%s]}', '{"records":[%s,%s],"version":2}'])
def test_a_batch_gives_a_row_per_record_and_all_have_its_offset(form: str) -> None:
    both = form % (record("web1", cpu_idle_pct=1).decode(), json.dumps(FLAT))
    decoded = decode(both.encode(), GOOD)
    assert decoded.rows.offset.tolist() == [100, 100, 101]
    assert [row["cpu_idle_pct"] for row in samples(decoded)] == [1, 74, 40]


def test_all_forms_may_come_mixed_in_one_batch_of_the_broker() -> None:
    one = b'{"server":"web1","timestamp":1735689600,"metric":"cpu_idle_pct","value":2}'
    decoded = decode(GOOD, json.dumps(FLAT).encode(), one, b"[" + GOOD + b"]")
    assert [row["cpu_idle_pct"] for row in samples(decoded)] == [40, 74, 2, 40]


@pytest.mark.parametrize("absent", [b'"metrics":{}', b'"metrics":{"cpu_idle_pct":null}', b'"profile":"x"'])
def test_a_record_without_any_value_is_empty(absent: bytes) -> None:
    decoded = decode(GOOD, b'{"server":"web1","timestamp":1735689600000,' + absent + b"}")
    assert reason(decoded, 1) == "empty"
    assert len(decoded.rows) == 1


BROKEN: dict[str, tuple[bytes | None, str]] = {
    "not JSON": (b"cpu 12", "not_json"),
    "half a record": (GOOD[:-5], "not_json"),
    "invalid UTF-8": (b'{"server":"\xff\xfe","timestamp":1735689600000}', "not_json"),
    "a tombstone": (None, "empty"),
    "no bytes": (b"", "empty"),
    "an empty batch": (b"[]", "empty"),
    "an empty batch, blanks before it": (b"  []", "empty"),
    "an empty batch of records": (b'{"records":[]}', "empty"),
    "ten megabytes": (b'{"server":"' + b"x" * 10_000_000 + b'"}', "too_large"),
    "a number": (b"5", "wrong_type"),
    "a batch of numbers": (b"[1,2,3]", "wrong_type"),
    "text for metrics": (b'{"server":"web1","timestamp":1735689600000,"metrics":"high"}', "wrong_type"),
    "text for a value": (record(cpu_idle_pct="high"), "wrong_type"),
    "true for a value": (record(cpu_idle_pct=True), "wrong_type"),
    "text for the one value": (
        b'{"server":"web1","timestamp":1735689600000,"metric":"load_average","value":"high"}',
        "wrong_type",
    ),
    "a list for a value": (record(cpu_idle_pct=[1]), "wrong_type"),
    "NaN": (record(cpu_idle_pct=float("nan")), "not_finite"),
    "Infinity": (record(cpu_idle_pct=float("inf")), "not_finite"),
    "minus infinity": (record(cpu_idle_pct=float("-inf")), "not_finite"),
    "1e400": (b'{"server":"web1","timestamp":1735689600000,"metrics":{"cpu_idle_pct":1e400}}', "not_finite"),
    "1e308": (record(cpu_idle_pct=1e308), "out_of_range"),
    "an integer of 100 digits": (record(cpu_idle_pct=10**100), "out_of_range"),
    "an integer of 400 digits": (record(cpu_idle_pct=10**400), "not_finite"),
    "an integer of 5,000 digits": (
        b'{"server":"web1","timestamp":1735689600000,"metrics":{"cpu_idle_pct":' + b"9" * 5000 + b"}}",
        "not_json",
    ),
    "less than the least": (record(cpu_idle_pct=-0.1), "out_of_range"),
    "more than the most": (record(cpu_idle_pct=100.1), "out_of_range"),
    "an unknown metric": (record(cpu_temperature=40), "unknown_metric"),
    "a thousand unknown metrics": (record(**{f"m{i}": i for i in range(1000)}), "unknown_metric"),
    "a clock an hour ahead": (record("web1", START_MS + 3_600_000, cpu_idle_pct=1), "future_clock"),
    "no server": (b'{"timestamp":1735689600000,"metrics":{"cpu_idle_pct":1}}', "missing_server"),
    "an empty server": (record("", cpu_idle_pct=1), "missing_server"),
    "a number for the server": (
        b'{"server":5,"timestamp":1735689600000,"metrics":{"cpu_idle_pct":1}}',
        "missing_server",
    ),
    "a slash in the server": (record("a/b", cpu_idle_pct=1), "invalid_server"),
    "a line break in the server": (record("a\nb", cpu_idle_pct=1), "invalid_server"),
    "a server of 254 characters": (record("x" * 254, cpu_idle_pct=1), "invalid_server"),
    "half a surrogate pair in the server": (record("\ud800", cpu_idle_pct=1), "invalid_server"),
    "no timestamp": (b'{"server":"web1","metrics":{"cpu_idle_pct":1}}', "invalid_timestamp"),
    "text that is no time": (record("web1", "yesterday", cpu_idle_pct=1), "invalid_timestamp"),
    "half a surrogate pair in the time": (record("web1", "\ud800", cpu_idle_pct=1), "invalid_timestamp"),
    "a time before March 1973": (record("web1", "1970-01-02T00:00:00Z", cpu_idle_pct=1), "invalid_timestamp"),
    "a negative time": (record("web1", -5, cpu_idle_pct=1), "invalid_timestamp"),
    "a time of 300 digits": (record("web1", 10**300, cpu_idle_pct=1), "invalid_timestamp"),
    "NaN for the time": (record("web1", float("nan"), cpu_idle_pct=1), "invalid_timestamp"),
    "true for the time": (record("web1", True, cpu_idle_pct=1), "invalid_timestamp"),
    "a list for the time": (record("web1", [1], cpu_idle_pct=1), "invalid_timestamp"),
    "records nested by the thousand": (b'{"records":[' * 80_000, "not_json"),
    "arrays nested by the thousand": (b"[" * 100_000, "not_json"),
    "a deep nest that nobody asked for": (GOOD[:-1] + b',"x":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "not_json"),
}


@pytest.mark.parametrize(("broken", "expected"), BROKEN.values(), ids=BROKEN)
def test_garbage_is_told_by_its_reason_and_its_neighbours_are_kept(broken: bytes | None, expected: str) -> None:
    decoded = decode(GOOD, broken, GOOD)
    assert reason(decoded, 1) == expected
    assert decoded.verdicts.by_record.keys() == {1}
    assert decoded.source.tolist() == [0, 2]
    assert decoded.unreadable() == 1


@pytest.mark.parametrize(("broken", "expected"), BROKEN.values(), ids=BROKEN)
def test_the_reason_is_the_same_without_neighbours(broken: bytes | None, expected: str) -> None:
    decoded = decode(broken)
    assert reason(decoded, 0) == expected
    assert len(decoded.rows) == 0


def test_the_good_samples_of_a_record_with_a_bad_one_are_kept() -> None:
    decoded = decode(record(cpu_idle_pct=101, mem_used_pct=5, cpu_temperature=40, load_average=float("nan")))
    assert samples(decoded) == [{"mem_used_pct": 5}]
    assert decoded.verdicts.counts() == {"not_finite": 1, "unknown_metric": 1, "out_of_range": 1}
    assert decoded.unreadable() == 0


def test_the_good_records_of_a_batch_with_bad_ones_are_kept() -> None:
    decoded = decode(b'[5, {"server":"a/b","timestamp":1735689600,"metrics":{"cpu_idle_pct":1}}, ' + GOOD + b"]")
    assert samples(decoded) == [{"cpu_idle_pct": 40}]
    assert decoded.verdicts.counts() == {"wrong_type": 1, "invalid_server": 1}
    assert decoded.unreadable() == 0


def test_a_text_says_what_was_wrong_and_what_is_legal() -> None:
    decoded = decode(record(cpu_idle_pct=101), record("web1", START_MS + 400_000, cpu_idle_pct=1), record("a/b", x=1))
    assert detail(decoded, 0) == "out_of_range: cpu_idle_pct: 101, legal is 0 to 100"
    assert detail(decoded, 1) == "future_clock: event time is 400 s ahead of our clock"
    assert "'a/b': expected 1 to 253 printable characters without '/'" in detail(decoded, 2)


def test_of_a_thousand_unknown_metrics_ten_are_named() -> None:
    text = detail(decode(record(**{f"m{i}": i for i in range(1000)})), 0)
    assert "m0, m1, m2" in text
    assert "m9 and 990 more: not in the catalogue; map, ignore or add them" in text


def test_a_hundred_thousand_bad_values_in_one_record_are_counted_and_few_are_kept() -> None:
    decoded = decode(b"[" + b",".join([b"1"] * 100_000) + b"]")
    assert decoded.verdicts.counts() == {"wrong_type": 100_000}
    assert len(decoded.verdicts.by_record[0].shown) == 20
    assert detail(decoded, 0).endswith("; and 99980 more")


def test_a_clock_as_far_ahead_as_allowed_is_right() -> None:
    assert len(decode(record("web1", START_MS + MAX_FUTURE_MS, cpu_idle_pct=1)).rows) == 1
    assert len(decode(record("web1", START_MS + MAX_FUTURE_MS + 1, cpu_idle_pct=1)).rows) == 0


def test_a_fleet_that_is_null_is_the_default_one() -> None:
    servers = ServerTable()
    decode(b'{"server":"web1","fleet":null,"timestamp":1735689600000,"metrics":{"cpu_idle_pct":1}}', servers=servers)
    assert servers.names == ["default/web1"]


@pytest.mark.parametrize("profile", ["", "\ud800", "x" * 254])
def test_a_profile_that_is_no_legal_name_counts_as_absent(profile: str) -> None:
    servers = ServerTable()
    body = {"server": "web1", "profile": profile, "timestamp": START_MS, "metrics": {"cpu_idle_pct": 1}}
    assert len(decode(json.dumps(body).encode(), servers=servers).rows) == 1
    assert servers.profiles == ["generic"]


def test_more_servers_than_allowed_are_refused_and_the_known_ones_go_on() -> None:
    servers = ServerTable(max_servers=1)
    decoded = decode(GOOD, record("web2", cpu_idle_pct=1), GOOD, servers=servers)
    assert reason(decoded, 1) == "too_many_servers"
    assert decoded.source.tolist() == [0, 2]


def test_a_negative_zero_becomes_zero() -> None:
    decoded = decode(record(cpu_idle_pct=-0.0))
    assert not np.signbit(decoded.rows.values[~np.isnan(decoded.rows.values)]).any()


def test_nothing_in_nothing_out() -> None:
    decoded = decode()
    assert (len(decoded.rows), decoded.samples, decoded.unreadable()) == (0, 0, 0)


MAPPING = Mapping.model_validate(
    {
        "names": {
            "MemUsedRatio": {"metric": "mem_used_pct", "scale": 100},
            "cpuIdle": "cpu_idle_pct",
            "celsius": {"metric": "load_average", "scale": 1.8, "offset": 32},
            "load1": "load_average",
        },
        "ignore": ["debug_*"],
        "profiles": {"^db": "database", "prod": "web_api"},
    }
)


def test_a_mapping_renames_converts_ignores_and_tells_profiles() -> None:
    servers = ServerTable(profile_rules=MAPPING.profile_rules())
    value = record("db-prod", MemUsedRatio=0.5, cpuIdle=90, celsius=10, debug_x=1, swap_used_pct=3)
    decoded = decode(value, record("a-prod", cpuIdle=1), record("c", cpuIdle=1), mapping=MAPPING, servers=servers)
    assert samples(decoded)[0] == {"mem_used_pct": 50, "cpu_idle_pct": 90, "load_average": 50, "swap_used_pct": 3}
    assert decoded.verdicts.by_record == {}
    assert servers.profiles == ["database", "web_api", "generic"]


def test_where_two_names_mean_one_metric_the_larger_or_the_only_one_counts() -> None:
    decoded = decode(record(load1=3, load_average=5), record(load1=4, load_average=None), mapping=MAPPING)
    assert [row["load_average"] for row in samples(decoded)] == [5, 4]


def test_a_converted_value_is_held_against_the_catalogue() -> None:
    decoded = decode(record(MemUsedRatio=1.5), record(MemUsedRatio=1e307, x=1), mapping=MAPPING)
    assert detail(decoded, 0) == "out_of_range: mem_used_pct: 150, legal is 0 to 100"
    assert decoded.verdicts.counts() == {"out_of_range": 1, "not_finite": 1, "unknown_metric": 1}


def test_a_counter_keeps_every_digit_that_its_rate_needs() -> None:
    catalogue = Catalogue.model_validate({"metrics": {"bytes": {"name": "bytes", "aggregation": "rate"}}})
    values = [record(bytes=1_000_000_000_001), record(bytes=1_000_000_000_002)]
    decoded = decode(*values, catalogue=catalogue)
    assert decoded.rows.values[:, 0].tolist() == [1_000_000_000_001, 1_000_000_000_002]


numbers = st.none() | st.integers(-5, 105) | st.floats(allow_nan=True) | st.just("x") | st.just(10**400)
metrics = st.dictionaries(st.sampled_from([*NAMES[:4], "cpuIdle", "debug_x", "other"]), numbers, max_size=4)
who = st.sampled_from(["web1", "web2", "", "a/b"])
when = st.sampled_from([START_MS, START_MS / 1000, "2025-01-01T00:00:00Z", None, "x", START_MS + 10**9])
fields: dict[str, st.SearchStrategy[object]] = {"server": who, "timestamp": when, "metrics": metrics}
extra: dict[str, st.SearchStrategy[object]] = {
    "metric": st.just("load_average"),
    "value": numbers,
    "server_name": who,
    "records": st.just([]),
    "fleet": who,
}
wide = st.fixed_dictionaries(fields, optional=extra)
anything = st.one_of(
    wide, wide, st.lists(wide, max_size=3), st.fixed_dictionaries({}, optional=fields | extra), numbers
)
documents = st.lists(anything.map(json.dumps).map(str.encode), max_size=6)


@settings(deadline=None)
@given(documents)
def test_a_record_means_the_same_whatever_comes_with_it(values: list[bytes]) -> None:
    together = decode(*values, mapping=MAPPING)
    alone = [decode(value, mapping=MAPPING) for value in values]
    assert samples(together) == [row for one in alone for row in samples(one)]
    assert together.rows.time_ms.tolist() == [moment for one in alone for moment in one.rows.time_ms.tolist()]
    summaries = {i: one.verdicts.summary(0) for i, one in enumerate(alone) if one.verdicts.by_record}
    assert {i: together.verdicts.summary(i) for i in together.verdicts.by_record} == summaries


@settings(deadline=None)
@given(documents)
def test_every_record_has_a_row_or_a_verdict(values: list[bytes]) -> None:
    decoded = decode(*values, mapping=MAPPING)
    kept = set(decoded.source.tolist())
    assert kept | decoded.verdicts.by_record.keys() == set(range(len(values)))
    assert decoded.unreadable() == len(values) - len(kept)


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.sampled_from(NAMES), st.floats(-10, 110), min_size=1), max_size=5))
def test_every_sample_is_accepted_or_refused_once(bodies: list[dict[str, float]]) -> None:
    decoded = decode(*[record(**body) for body in bodies])
    assert decoded.samples + sum(decoded.verdicts.counts().values()) == sum(len(body) for body in bodies)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=5))
def test_no_bytes_whatever_stop_the_decoder(values: list[bytes]) -> None:
    decoded = decode(GOOD, *values, GOOD)
    assert {0, len(values) + 1} <= set(decoded.source.tolist())
