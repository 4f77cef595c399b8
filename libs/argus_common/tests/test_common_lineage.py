"""Which version serves, read from the events of the models topic."""

import json
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argus_common.errors import MalformedEventError
from argus_common.events import ModelPromoted, ModelRolledBack, Record, encode
from argus_common.lineage import ModelEvent, lineage, model_event

SHA = "0" * 64


def promoted(version: str, previous: str | None = None, model: str = "web") -> ModelPromoted:
    return ModelPromoted(
        model=model, version=version, family="residual", manifest_sha256=SHA, previous_version=previous, promoted_ms=1
    )


def rolled_back(version: str | None, withdrawn: str = "9") -> ModelRolledBack:
    return ModelRolledBack(model="web", version=version, withdrawn_version=withdrawn, rolled_back_ms=2)


@pytest.mark.parametrize(
    ("events", "served"),
    [
        ([], ()),
        ([promoted("1")], ("1",)),
        ([promoted("1"), promoted("2"), promoted("3")], ("1", "2", "3")),
        ([promoted("1"), promoted("1")], ("1",)),
        ([promoted("1"), promoted("2"), rolled_back("1")], ("1",)),
        ([promoted("1"), promoted("2"), rolled_back("1"), rolled_back("1")], ("1",)),
        ([promoted("1"), promoted("2"), promoted("3"), rolled_back("2"), rolled_back("1")], ("1",)),
        ([promoted("1"), promoted("2"), promoted("1"), rolled_back("2")], ("1", "2")),
        ([promoted("1"), rolled_back(None)], ()),
        ([promoted("1"), rolled_back(None), promoted("2")], ("2",)),
        ([promoted("1"), promoted("7", model="db")], ("1",)),
    ],
)
def test_the_newest_event_of_a_name_says_what_serves(events: list[ModelEvent], served: tuple[str, ...]) -> None:
    assert lineage(events, "web") == served


@pytest.mark.parametrize(
    ("newest", "served"),
    [(promoted("8", "7"), ("7", "8")), (promoted("8"), ("8",)), (rolled_back("7", "8"), ("7",))],
)
def test_the_newest_event_alone_says_what_serves_and_what_served_before(
    newest: ModelEvent, served: tuple[str, ...]
) -> None:
    """As it is once the older ones are gone."""
    assert lineage([newest], "web") == served


@given(st.lists(st.tuples(st.booleans(), st.integers(1, 4)), max_size=12))
def test_what_serves_last_is_what_the_newest_event_says(told: list[tuple[bool, int]]) -> None:
    events: list[ModelEvent] = [promoted(str(n)) if up else rolled_back(str(n)) for up, n in told]
    served = lineage(events, "web")
    assert served[-1:] == tuple(event.version for event in events[-1:])
    assert all(first != second for first, second in pairwise(served))


@dataclass
class Received:
    value: bytes | None
    headers: list[tuple[str, bytes]] = field(default_factory=list)


def test_an_event_is_read_back() -> None:
    record = encode(promoted("2", "1"), "/argus/test")
    assert model_event(record) == promoted("2", "1")
    assert record.key == b"web"


def test_what_is_told_of_models_beside_promotions_decides_nothing() -> None:
    assert model_event(Record(b"web", b"{}", [("ce_type", b"io.argus.training.started.v1")])) is None


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (Received(b"{}"), "wrong_type"),
        (Received(None, [("ce_type", b"io.argus.model.promoted.v1")]), "empty"),
        (Received(b"{", [("ce_type", b"io.argus.model.promoted.v1")]), "not_json"),
        (Received(b"{}", [("ce_type", b"io.argus.model.promoted.v1")]), "invalid_field"),
    ],
)
def test_what_can_not_be_read_says_why(record: Received, reason: str) -> None:
    with pytest.raises(MalformedEventError) as caught:
        model_event(record)
    assert caught.value.reason == reason


@pytest.mark.parametrize("name", ["../../etc", "a/b", "..", ".hidden", "/abs", "A", "", "a" * 65, "a\\b", "a\n"])
def test_a_name_that_could_lead_out_of_a_store_is_no_event(name: str) -> None:
    body = promoted("1").model_dump_json().replace('"version":"1"', f'"version":{json.dumps(name)}')
    with pytest.raises(MalformedEventError, match="version"):
        model_event(Received(body.encode(), [("ce_type", ModelPromoted.type.encode())]))


def test_the_same_promotion_told_twice_has_the_same_id() -> None:
    assert promoted("1").id() == promoted("1").id() == "web/1/promoted/1"
    assert rolled_back("1").id() == "web/9/rolled_back/2"
