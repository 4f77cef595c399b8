"""What is told of a cascade: on the topic, and to Alertmanager."""

import json
from dataclasses import replace
from typing import Any

import pytest
from cascade_site import STEP, STEP_SECONDS

from argus_cascade.domain.alertmanager import LASTS_SECONDS, SHOWN, Alert, alerts_of
from argus_cascade.domain.encode import SOURCE, event_of
from argus_cascade.domain.fleet import Figures, packed, standing_of, unpacked
from argus_cascade.domain.followers import Forecasts
from argus_cascade.domain.life.change import (
    Change,
    Changed,
    Follower,
    FollowerScore,
    Member,
    Opened,
    Origin,
    Resolved,
    Updated,
)
from argus_cascade.domain.standing import SHOWN_AFTER_MS, Standing, follow, shown, tidy
from argus_common.events import CascadeEvent, CascadeOpened, CascadeResolved, encode
from argus_common.levels import Level

NOW_MS = (STEP + 3) * STEP_SECONDS * 1000
CHANGE: dict[str, Any] = {
    "cascade": "eu/300/1/db1",
    "fingerprint": "00112233445566aa",
    "sequence": 0,
    "fleet": "eu",
    "step_seconds": STEP_SECONDS,
    "step": STEP,
    "opened": STEP,
    "kind": "propagating",
    "severity": Level.WARNING,
    "score": 64.04,
    "members": (
        Member("db1", "db", STEP - 2, STEP, "cpu_used_pct", 12.3456, 97.5),
        Member("web1", "web", STEP - 1, STEP, "load_average", 7.0, None, silent=True),
    ),
    "origins": (Origin("db1", 0.81239, ("it began first",)),),
    "followers": (Follower("web2", 0.6, (300.0, 600.04, 1500.0)), Follower("web3", 0.2, (1.0, 2.0, 3.0), "withdrawn")),
    "peak_members": 2,
    "reason": "two servers",
    "look_first": "db1",
}


def opened(**changes: Any) -> Opened:  # noqa: ANN401
    return Opened(**CHANGE | changes)


def resolved(**changes: Any) -> Resolved:  # noqa: ANN401
    ending = {"sequence": 2, "outcome": "merged", "duration_seconds": 900, "merged_into": "eu/300/0/db0"}
    return Resolved(**CHANGE | ending | {"followers_score": FollowerScore(2, 1)} | changes)


def test_an_event_tells_everything_of_the_change_in_numbers_that_can_be_read() -> None:
    event = event_of(opened())
    assert isinstance(event, CascadeOpened)
    assert (event.id(), event.key()) == ("eu/300/1/db1/0", "eu")
    assert event.time().timestamp() == (STEP + 1) * STEP_SECONDS
    assert [(m.server, m.onset, m.strength, m.observed, m.silent) for m in event.members] == [
        ("db1", STEP - 2, 12.35, 97.5, False),
        ("web1", STEP - 1, 7.0, None, True),
    ]
    assert (event.origins[0].probability, event.origins[0].reasons) == (0.8124, ["it began first"])
    assert event.followers[0].onset_in.p50 == 600.0
    assert (event.score, event.message, event.look_first) == (64.0, "two servers", "db1")


def test_the_end_of_a_cascade_tells_how_it_ended_and_how_its_followers_were_foretold() -> None:
    event = event_of(resolved())
    assert isinstance(event, CascadeResolved)
    assert (event.outcome, event.merged_into, event.duration_seconds) == ("merged", "eu/300/0/db0", 900)
    assert (event.followers_confirmed, event.followers_withdrawn) == (2, 1)


@pytest.mark.parametrize("change", [opened(), Updated(**CHANGE), resolved()], ids=lambda c: type(c).__name__)
def test_the_same_change_always_gives_the_same_bytes_and_none_of_its_fields_is_left_out(change: Changed) -> None:
    first, again = (encode(event_of(change), SOURCE) for _ in range(2))
    assert first == again
    other = {"reason": "message", "followers_score": "followers_confirmed"}
    fields = {other.get(name, name) for name in change.__dataclass_fields__}
    assert fields <= json.loads(first.value).keys()


def told(*changes: Change, now_ms: int = NOW_MS) -> dict[str, Standing]:
    standing: dict[str, Standing] = {}
    for change in changes:
        follow(standing, event_of(change), now_ms)  # type: ignore[arg-type]
    return standing


def alerts(*changes: Change, now_ms: int = NOW_MS) -> list[Alert]:
    return alerts_of(shown(told(*changes).values(), now_ms), now_ms)


def labels(alert: Alert) -> dict[str, str]:
    found = alert["labels"]
    assert isinstance(found, dict)
    return found


def test_an_alert_is_labelled_by_what_never_changes() -> None:
    later = Updated(**CHANGE | {"sequence": 1, "score": 70.0, "kind": "common_cause", "origins": ()})
    (first,), (second,) = alerts(opened()), alerts(opened(), later)
    identity = {"alertname": "ArgusCascade", "fleet": "eu", "cascade": "00112233445566aa", "severity": "warning"}
    assert labels(first) == labels(second) == identity
    assert first["startsAt"] == second["startsAt"] == "2025-01-01T00:05:00.000Z"
    assert first["annotations"] == {
        "summary": "cascade in eu: 2 of 2 servers are unwell",
        "description": "two servers",
        "look_first": "db1",
        "severity": "warning",
        "score": "64",
        "kind": "propagating",
        "cascade": "eu/300/1/db1",
        "members": "db1 (cpu_used_pct), web1 (load_average)",
        "origins": "db1 (81%)",
        "followers": "web2 (60%, in 10 min)",
    }


def test_an_escalation_adds_an_alert_that_stays_until_the_end_and_changes_none() -> None:
    worse = Updated(**CHANGE | {"sequence": 1, "severity": Level.CRITICAL, "score": 90.0})
    better = Updated(**CHANGE | {"sequence": 2, "severity": Level.DEGRADED, "score": 52.0})
    before, during, after = alerts(opened()), alerts(opened(), worse), alerts(opened(), worse, better)
    assert [labels(one)["severity"] for one in before] == ["warning"]
    assert [labels(one) for one in during] == [labels(one) for one in after]
    assert [labels(one)["severity"] for one in during] == ["warning", "critical"]


def test_an_alert_lasts_a_while_and_one_that_is_over_has_ended() -> None:
    (standing,), (over,) = alerts(opened()), alerts(opened(), resolved())
    assert standing["endsAt"] == "2025-01-01T00:20:00.000Z"
    assert over["endsAt"] == "2025-01-01T00:15:00.000Z"
    assert LASTS_SECONDS == 300


def test_the_end_is_told_for_five_minutes_and_then_forgotten() -> None:
    standing = told(opened(), resolved())
    assert shown(standing.values(), NOW_MS + SHOWN_AFTER_MS)
    assert not shown(standing.values(), NOW_MS + SHOWN_AFTER_MS + 1)
    tidy(standing, NOW_MS + SHOWN_AFTER_MS)
    assert standing
    tidy(standing, NOW_MS + SHOWN_AFTER_MS + 1)
    assert not standing


def test_a_silenced_cascade_is_not_shown_and_ends_where_it_was() -> None:
    silenced = Updated(**CHANGE | {"sequence": 1, "silenced": True})
    assert alerts(opened(silenced=True)) == []
    assert alerts(opened(silenced=True), resolved(silenced=True)) == []
    (ended,) = alerts(opened(), silenced)
    assert ended["endsAt"] == "2025-01-01T00:15:00.000Z"
    standing = told(opened(), silenced)
    follow(standing, event_of(Updated(**CHANGE | {"sequence": 2})), NOW_MS + 1)
    assert next(iter(standing.values())).ended_ms is None
    assert not next(iter(standing.values())).resolved


def test_an_alert_names_so_many_and_says_how_many_more() -> None:
    members = tuple(replace(CHANGE["members"][0], server=f"s{i}") for i in range(SHOWN + 3))
    (alert,) = alerts(opened(members=members))
    assert str(alert["annotations"]["members"]).endswith("s9 (cpu_used_pct) and 3 more")  # type: ignore[index]


def test_an_alert_links_to_where_it_is_told_and_starts_no_later_than_it_ends() -> None:
    early = NOW_MS - 10 * STEP_SECONDS * 1000
    standing = told(opened(), resolved(), now_ms=early)
    (alert,) = alerts_of(standing.values(), early, "http://x/{fleet}/{cascade}")
    assert alert["generatorURL"] == "http://x/eu/00112233445566aa"
    assert alert["startsAt"] == alert["endsAt"]


def test_the_state_of_a_fleet_is_the_same_after_packing() -> None:
    standing = told(opened(), Updated(**CHANGE | {"sequence": 1})) | told(resolved(cascade="x"))
    state = unpacked(packed(7, {"web1": 6}, b"detector", standing, Figures(90.0, 0.1, 0.2, 1, Forecasts(2, 1, 0.3))))
    assert (state.ticked, state.heard, state.detector) == (7, {"web1": 6}, b"detector")
    assert state.figures == Figures(90.0, 0.1, 0.2, 1, Forecasts(2, 1, 0.3))
    assert standing_of(state) == standing


@pytest.mark.parametrize("raw", [b"", b"\x00", packed(0, {}, b"", {}, None).replace(b"version\x01", b"version\x02")])
def test_a_state_of_another_version_is_told(raw: bytes) -> None:
    with pytest.raises(ValueError, match="a fleet's state"):
        unpacked(raw)


def test_every_kind_of_event_has_its_own_type() -> None:
    kinds: set[type[CascadeEvent]] = {type(event_of(c)) for c in (opened(), Updated(**CHANGE), resolved())}
    assert len({kind.type for kind in kinds}) == 3
