from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argus_common.errors import DeadLetterFloodError
from argus_common.kafka.dead_letters import MAX_DETAIL_CHARACTERS, MAX_KEPT_BYTES, FloodGuard, dead_letter


@dataclass(frozen=True)
class Origin:
    value: bytes | None
    topic: str = "argus.metrics.v1"
    partition: int = 3
    offset: int = 42
    timestamp: int = 1_735_689_600_123
    key: bytes | None = b"web1"


def test_a_dead_letter_tells_where_it_came_from_and_why() -> None:
    letter = dead_letter(Origin(b"{oops"), "ingest", "not_json", "expected a value")
    assert letter.key == b"argus.metrics.v1"
    assert letter.value == b"{oops"
    assert letter.headers == [
        ("ce_id", b"argus.metrics.v1/3/42/ingest"),
        ("argus_reason", b"not_json"),
        ("argus_detail", b"expected a value"),
        ("argus_service", b"ingest"),
        ("argus_topic", b"argus.metrics.v1"),
        ("argus_partition", b"3"),
        ("argus_offset", b"42"),
        ("argus_timestamp", b"1735689600123"),
        ("argus_original_bytes", b"5"),
        ("argus_key", b"web1"),
    ]


def test_a_record_without_a_key_is_told_from_one_with_an_empty_key() -> None:
    assert "argus_key" not in dict(dead_letter(Origin(b"{", key=None), "ingest", "not_json", "").headers)
    assert dict(dead_letter(Origin(b"{", key=b""), "ingest", "not_json", "").headers)["argus_key"] == b""


def test_a_huge_original_is_cut_and_its_size_told() -> None:
    letter = dead_letter(Origin(b"x" * 10_000_000), "ingest", "too_large", "y" * 10_000)
    headers = dict(letter.headers)
    assert len(letter.value) == MAX_KEPT_BYTES == 65_536
    assert headers["argus_original_bytes"] == b"10000000"
    assert len(headers["argus_detail"]) == MAX_DETAIL_CHARACTERS


def test_a_tombstone_becomes_an_empty_letter() -> None:
    letter = dead_letter(Origin(None), "ingest", "empty", "no value")
    assert letter.value == b""
    assert dict(letter.headers)["argus_original_bytes"] == b"0"


def test_a_lone_surrogate_in_the_detail_does_not_fail_in_its_turn() -> None:
    letter = dead_letter(Origin(b"x"), "ingest", "invalid_field", "server '\ud800'")
    assert dict(letter.headers)["argus_detail"] == b"server '\\ud800'"


@given(st.binary(max_size=200), st.text(max_size=50))
def test_the_same_record_gives_the_same_letter(value: bytes, detail: str) -> None:
    one, other = (dead_letter(Origin(value), "ingest", "not_json", detail) for _ in range(2))
    assert one == other


def test_few_dead_letters_among_many_records_pass() -> None:
    guard = FloodGuard(max_share=0.2, recent=1000, at_least=100)
    for _ in range(1000):
        guard.record(read=9, unreadable=1)


def test_too_large_a_share_stops_consumption_with_the_numbers() -> None:
    guard = FloodGuard(max_share=0.2, recent=10_000, at_least=500)
    guard.record(read=1000, unreadable=0)
    with pytest.raises(DeadLetterFloodError) as caught:
        guard.record(read=0, unreadable=500)
    assert str(caught.value).startswith(
        "500 of the last 1500 records could not be read, more than the allowed 20 %; "
        "`argus dead-letters list` shows the reasons on argus.dlq.v1: mend the producer"
    )


def test_a_few_bad_records_at_the_start_do_not_stop_it() -> None:
    FloodGuard(max_share=0.2, recent=10_000, at_least=500).record(read=0, unreadable=499)


def test_old_batches_are_forgotten() -> None:
    guard = FloodGuard(max_share=0.5, recent=100, at_least=10)
    guard.record(read=60, unreadable=40)
    for _ in range(4):
        guard.record(read=100, unreadable=0)
    guard.record(read=50, unreadable=50)  # 90 unreadable in all, but only 50 among the recent
    with pytest.raises(DeadLetterFloodError, match="101 of the last 101 records"):
        guard.record(read=0, unreadable=101)


def test_idle_polls_cost_no_memory() -> None:
    guard = FloodGuard()
    for _ in range(1000):
        guard.record(read=0, unreadable=0)
    assert len(guard._batches) == 0
