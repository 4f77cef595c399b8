"""Timestamps of every kind, server names, profiles, shapes of records, and complaints that repeat themselves."""

import pytest

from argus_common.errors import MalformedEventError
from argus_common.metrics import DEFAULT_CATALOGUE
from argus_ingest.domain.mapping import Mapping
from argus_ingest.domain.native import epoch_ms, flat_metrics
from argus_ingest.domain.repeats import RepeatLimit
from argus_ingest.domain.servers import ServerTable
from argus_ingest.domain.shapes import ShapeTable
from argus_ingest.domain.verdicts import Verdicts

MOMENT_MS = 1_735_689_600_000


@pytest.mark.parametrize(
    "timestamp",
    [
        1_735_689_600,
        1_735_689_600.0,
        1_735_689_600_000,
        1_735_689_600_000_000,
        1_735_689_600_000_000_000,
        "2025-01-01T00:00:00Z",
        "2025-01-01T00:00:00",
        "2025-01-01 00:00:00",
        "2025-01-01T01:00:00+01:00",
        "2024-12-31T19:00:00.000-05:00",
    ],
)
def test_every_spelling_of_a_moment_gives_the_same_milliseconds(timestamp: float | str) -> None:
    assert epoch_ms(timestamp) == MOMENT_MS


@pytest.mark.parametrize(
    ("timestamp", "milliseconds"),
    [
        (10**8, 10**11),
        (10**11 - 1, 99_999_999_999_000),
        (10**11, 10**11),
        (10**14, 10**11),
        (1e8 + 1.5, 100_000_001_500),
        (1e17, 10**11),
    ],
)
def test_numbers_are_told_apart_by_their_size(timestamp: float, milliseconds: int) -> None:
    assert epoch_ms(timestamp) == milliseconds


@pytest.mark.parametrize(
    "timestamp", [None, True, -1, 0, 86_400, 10**20, float("nan"), float("inf"), "", "5", "1972-01-01"]
)
def test_what_is_no_moment_is_refused(timestamp: float | str | None) -> None:
    with pytest.raises(MalformedEventError, match="expected") as caught:
        epoch_ms(timestamp)
    assert caught.value.reason == "invalid_timestamp"


def test_a_number_in_quotes_is_told_what_to_do() -> None:
    with pytest.raises(MalformedEventError, match=r"'1735689600': expected RFC 3339, or the number without quotes"):
        epoch_ms("1735689600")


def test_an_uptime_in_place_of_a_time_is_told_from_a_moment() -> None:
    with pytest.raises(MalformedEventError, match=r"timestamp 86400: expected a moment after March 1973"):
        epoch_ms(86_400)


def test_every_field_of_a_flat_record_that_is_no_label_is_a_metric() -> None:
    assert flat_metrics({"timestamp": 1, "server_name": "a", "status": "x", "state": "y", "load": 3}) == {"load": 3}


def test_servers_are_numbered_in_order_of_appearance_and_fleets_are_kept_apart() -> None:
    servers = ServerTable()
    numbers = [servers.add(*who, None) for who in [("a", "x"), ("b", "x"), ("a", "x"), ("a", "y")]]
    assert numbers == [0, 1, 0, 2]
    assert len(servers) == 3
    assert servers.names == ["a/x", "b/x", "a/y"]


@pytest.mark.parametrize(("fleet", "reason"), [("", "missing_server"), ("a/b", "invalid_server")])
def test_a_fleet_needs_a_name_too(fleet: str, reason: str) -> None:
    with pytest.raises(MalformedEventError, match="fleet") as caught:
        ServerTable().add(fleet, "x", None)
    assert caught.value.reason == reason


def test_a_profile_that_is_sent_later_replaces_a_guess_and_then_stays() -> None:
    servers = ServerTable()
    for profile in (None, "\ud800", "database", "web_api", None):
        servers.add("default", "a", profile)
    assert servers.profiles == ["database"]
    assert servers.unnamed == set()


def test_a_profile_is_remembered_over_a_restart_unless_a_rule_guesses_it() -> None:
    rules = Mapping.model_validate({"profiles": {"^db": "database"}}).profile_rules()
    before = ServerTable(profile_rules=rules)
    for name, profile in [("db1", None), ("db2", "ml_compute"), ("web", "web_api"), ("other", None)]:
        before.add("default", name, profile)
    told = before.profiles_of([*before.names, "default/unknown"])
    assert told == {"default/db2": "ml_compute", "default/web": "web_api"}

    after = ServerTable(profile_rules=rules)
    after.remember({**told, "default/rebuilt": "generic"})
    assert after.profiles_of(["default/db2"]) == {"default/db2": "ml_compute"}
    for name, profile in [("db2", None), ("web", "conductor"), ("rebuilt", None), ("db1", None)]:
        after.add("default", name, profile)
    assert after.profiles == ["ml_compute", "conductor", "generic", "database"]


def test_who_has_no_profile_yet_is_still_known_after_the_servers_were_numbered_anew() -> None:
    servers = ServerTable()
    for name, profile in [("gone", None), ("named", "web_api"), ("unnamed", None)]:
        servers.add("default", name, profile)
    servers.keep([False, True, True])
    servers.add("default", "unnamed", "database")
    servers.add("default", "named", "database")
    assert servers.profiles == ["web_api", "database"]


def test_a_profile_is_what_the_record_says_else_the_first_rule_that_matches() -> None:
    rules = Mapping.model_validate({"profiles": {"^db": "database", "prod": "web_api"}}).profile_rules()
    servers = ServerTable(profile_rules=rules)
    for name, profile in [("db-prod", None), ("prod1", None), ("db2", "ml_compute"), ("other", None)]:
        servers.add("default", name, profile)
    assert servers.profiles == ["database", "web_api", "ml_compute", "generic"]


def test_a_shape_is_worked_out_once_and_a_flood_of_names_does_not_fill_the_memory() -> None:
    table = ShapeTable(DEFAULT_CATALOGUE, Mapping())
    usual = table.resolve(("cpu_idle_pct",))
    assert table.resolve(("cpu_idle_pct",)) is usual
    for number in range(100):
        table.resolve(tuple(f"{number}-{i}" for i in range(1000)))
    assert sum(len(names) for names in table._shapes) <= 4_000_000 / 64
    assert table.resolve(("cpu_idle_pct",)).columns.tolist() == [3]


def test_a_shape_that_is_too_large_is_never_kept() -> None:
    table = ShapeTable(DEFAULT_CATALOGUE, Mapping())
    assert table.resolve(("x" * 4_000_000,)).unknown == ("x" * 4_000_000,)
    assert table._shapes == {}


def test_a_complaint_is_told_once_in_ten_minutes() -> None:
    limit = RepeatLimit()
    assert [limit.due("a", 0.0), limit.due("a", 599.0), limit.due("b", 599.0), limit.due("a", 600.0)] == [
        True,
        False,
        True,
        True,
    ]


def test_ever_new_complaints_do_not_fill_the_memory() -> None:
    limit = RepeatLimit()
    for number in range(25_000):
        assert limit.due(f"complaint {number}", 0.0)
    assert len(limit.until) <= 10_000


def test_a_summary_has_the_first_reason_and_spells_out_twenty() -> None:
    verdicts = Verdicts()
    verdicts.reject(3, "out_of_range", "first")
    for number in range(21):
        verdicts.reject(3, "wrong_type", f"{number}" * 2000)
    reason, detail = verdicts.summary(3)
    assert reason == "out_of_range"
    assert detail.startswith("out_of_range: first; wrong_type: 0000")
    assert detail.endswith("; and 2 more")
    assert len(detail) < 21_000
    assert verdicts.counts() == {"out_of_range": 1, "wrong_type": 21}


def test_whether_a_record_was_refused_for_one_reason_alone() -> None:
    verdicts = Verdicts()
    verdicts.reject(0, "unknown_metric", "x")
    verdicts.reject(1, "unknown_metric", "x")
    verdicts.reject(1, "late", "y")
    assert [verdicts.only(0, "unknown_metric"), verdicts.only(1, "unknown_metric")] == [True, False]
