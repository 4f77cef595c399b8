"""The events of alerts, and the requests that concern them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest
from alert_events import ended, raised, updated
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from argus_common.errors import MalformedEventError
from argus_common.events import (
    AlertEvent,
    BreachEnded,
    BreachExpected,
    BreachMitigated,
    BreachUpdated,
    MaintenanceScheduled,
    alert_id,
    decode_any,
    encode,
)
from argus_common.topics import ALERTS, COMMANDS

STEP = 5_785_632
KINDS: Sequence[type[BreachExpected | BreachUpdated | BreachEnded]] = (BreachExpected, BreachUpdated, BreachEnded)


@dataclass(frozen=True)
class Received:
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = field(default_factory=tuple)


@pytest.mark.parametrize(
    "event", [raised(STEP), updated(STEP, STEP + 3), ended(STEP, STEP + 9, "hit", crossed=STEP + 2)]
)
def test_each_event_of_an_alert_is_read_as_what_it_was(event: AlertEvent) -> None:
    record = encode(event, "/argus/test")
    assert decode_any(KINDS, Received(record.value, record.headers)) == event
    assert record.key == b"web1"


@pytest.mark.parametrize("headers", [(), (("ce_type", b"io.argus.other.v1"),)])
def test_an_event_of_another_kind_or_of_none_is_refused_with_what_was_expected(
    headers: Sequence[tuple[str, bytes]],
) -> None:
    with pytest.raises(MalformedEventError, match=r"expected one of io\.argus\.breach\.expected\.v1") as refused:
        decode_any(KINDS, Received(b"{}", headers))
    assert refused.value.reason == "wrong_type"


def test_all_events_of_an_alert_share_its_id_and_differ_in_their_own() -> None:
    events = [raised(STEP), updated(STEP, STEP + 3), ended(STEP, STEP + 9, "false")]
    assert {event.alert for event in events} == {f"default/web1/cpu_used_pct/high/300/{STEP}"}
    assert [event.id().rpartition("/")[2] for event in events] == ["0", "1", "2"]
    assert {event.key() for event in events} == {"web1"}


@given(st.sampled_from([1, -1]), st.integers(0, 2**32 - 2), st.integers(10, 3600))
def test_direction_step_length_and_raising_tell_alerts_apart(harm: int, since: int, step_seconds: int) -> None:
    mine = alert_id("eu", "db1", "x", harm, step_seconds, since)
    others = {
        alert_id("eu", "db1", "x", -harm, step_seconds, since),
        alert_id("eu", "db1", "x", harm, step_seconds + 1, since),
        alert_id("eu", "db1", "x", harm, step_seconds, since + 1),
    }
    assert mine not in others


def test_a_maintenance_must_end_after_it_starts() -> None:
    with pytest.raises(ValidationError, match="must end after it starts"):
        MaintenanceScheduled(start_ms=5, end_ms=5)


def test_acting_twice_on_an_alert_is_one_fact() -> None:
    first = BreachMitigated(alert="a", requested_ms=1, by="ann")
    assert first.id() == BreachMitigated(alert="a", requested_ms=2, by="bob").id()
    assert (first.key(), MaintenanceScheduled(start_ms=0, end_ms=1).key()) == ("inference", "inference")


def test_the_topics_carry_them() -> None:
    assert set(KINDS) == set(ALERTS.events)
    assert {BreachMitigated, MaintenanceScheduled} <= set(COMMANDS.events)
    assert (ALERTS.partitions, ALERTS.retention.days) == (6, 30)
