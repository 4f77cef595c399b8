"""`argus alerts`: what stands, what ended, and what a person tells."""

import asyncio
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping

import pytest
from alert_events import ended, raised, updated
from argus_site import Site
from rich.console import Console

from argus_cli.alerts.board import KINDS, Board
from argus_cli.alerts.view import render, time_to_limit
from argus_common.events import AlertEvent, BreachMitigated, MaintenanceScheduled, TimeToThreshold, decode_any, encode
from argus_common.kafka.outbox import Outbox
from argus_common.topics import ALERTS, COMMANDS

STEP = 5_785_632


def board(*events: AlertEvent) -> Board:
    made = Board()
    for event in events:
        made.add(event)
    return made


def servers(made: Board) -> list[str]:
    return [one.server for one in made.soonest()]


def shown(made: Board) -> str:
    written = io.StringIO()
    Console(file=written, width=170, force_terminal=False).print(render(made))
    return written.getvalue()


def test_crossed_limits_come_first_and_then_the_soonest_crossing() -> None:
    made = board(
        raised(STEP, "later", p50=7200),
        raised(STEP, "never", p50=None),
        raised(STEP, "soon", p50=600),
        raised(STEP, "crossed", crossed=STEP - 2),
    )
    assert servers(made) == ["crossed", "soon", "later", "never"]


def test_an_alert_that_ends_leaves_the_table_and_enters_the_log() -> None:
    made = board(raised(STEP), updated(STEP, STEP + 3), ended(STEP, STEP + 20, "hit", crossed=STEP + 5))
    assert servers(made) == []
    assert [one.outcome for one in made.last_ended(5)] == ["hit"]


def test_an_event_that_comes_again_changes_nothing() -> None:
    made = board(raised(STEP), updated(STEP, STEP + 3))
    assert not made.add(raised(STEP))
    assert made.soonest()[0].origin == STEP + 3
    made.add(ended(STEP, STEP + 20, "false"))
    assert not made.add(updated(STEP, STEP + 3))
    assert servers(made) == []
    assert made.ledger().counts["false"] == 1


def test_a_newer_alert_of_the_same_limit_takes_the_place_of_one_that_lost_its_end() -> None:
    assert [one.since for one in board(raised(STEP), raised(STEP + 50)).soonest()] == [STEP + 50]


def test_an_alert_that_nobody_speaks_of_any_more_comes_last() -> None:
    made = board(raised(STEP, "old", crossed=STEP), raised(STEP + 30, "new"))
    assert servers(made) == ["new", "old"]


def test_the_ledger_counts_outcomes_and_takes_the_median_of_the_leads() -> None:
    made = board(
        ended(STEP, STEP + 20, "hit", "a", crossed=STEP + 2),
        ended(STEP, STEP + 20, "hit", "b", crossed=STEP + 4),
        ended(STEP, STEP + 20, "false", "c"),
        ended(STEP, STEP + 20, "late", "d", crossed=STEP),
        ended(STEP, STEP + 20, "unknown", "e"),
    )
    ledger = made.ledger()
    assert ledger.precision() == pytest.approx(2 / 3)
    assert ledger.recall() == pytest.approx(2 / 3)
    assert ledger.median_lead_seconds == 900
    assert (Board().ledger().precision(), Board().ledger().median_lead_seconds) == (None, None)


def test_the_screen_tells_what_stands_what_ended_and_how_good_it_was() -> None:
    text = shown(
        board(
            raised(STEP, "web1", p50=3600),
            raised(STEP, "web2", crossed=STEP - 3),
            ended(STEP, STEP + 20, "hit", "web3", crossed=STEP + 6),
        )
    )
    assert "2 alerts stand, soonest breach first" in text
    assert "40% in 1h" in text
    assert "60 min (15 min to later)" in text
    assert "crossed Tue 23:45" in text
    assert "web3 cpu_used_pct 90  came as foretold" in text
    assert "precision 100%   recall 100%   median lead 30 min" in text


def test_the_fleet_is_shown_where_there_are_several() -> None:
    assert "fleet" not in shown(board(raised(STEP)))
    assert "fleet" in shown(board(raised(STEP), raised(STEP, fleet="eu")))


def test_an_empty_screen_says_so() -> None:
    assert "No alert stands." in shown(Board())


@pytest.mark.parametrize(
    ("times", "text"),
    [
        ({}, "-"),
        ({"p10": 1800}, "30 min at the earliest"),
        ({"p10": 1800, "p50": 3600, "p90": 10_800}, "60 min (30 min to 3.0 h)"),
        ({"p10": 1800, "p50": 3600}, "60 min (30 min to later)"),
    ],
)
def test_time_to_limit_is_told_in_words(times: Mapping[str, float], text: str) -> None:
    assert time_to_limit(TimeToThreshold(**times)) == text


async def tell(site: Site, *events: AlertEvent) -> None:
    outbox = Outbox(site.kafka, "test")
    await outbox.start()
    await outbox.send(ALERTS.name, [encode(event, "/argus/test") for event in events])
    await outbox.stop()


def argus(site: Site, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "argus_cli.main", "alerts", *arguments],
        env=os.environ
        | {"COLUMNS": "170", "TERM": "dumb"}
        | {
            "ARGUS_KAFKA_BOOTSTRAP_SERVERS": site.kafka.bootstrap_servers,
            "ARGUS_KAFKA_TOPIC_PREFIX": site.kafka.topic_prefix,
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_history_is_told_as_a_table_and_as_lines_of_one_server(site: Site) -> None:
    events = [raised(STEP), raised(STEP, "web2"), ended(STEP, STEP + 20, "false", "web2")]
    asyncio.run(tell(site, *events))
    table = argus(site, "--no-follow")
    assert table.returncode == 0, table.stderr
    assert "1 alerts stand" in table.stdout
    assert "1 false" in table.stdout
    lines = argus(site, "--no-follow", "--json", "--server", "web2")
    told = [json.loads(line) for line in lines.stdout.splitlines()]
    assert [(line["type"], line["id"]) for line in told] == [(event.type, event.id()) for event in events[1:]]
    assert [kind.type for kind in KINDS][:1] == [told[0]["type"]]
    assert argus(site, "--no-follow", "--json", "--fleet", "eu").stdout == ""


def test_without_the_topic_one_is_told_what_to_do(site: Site) -> None:
    nowhere = Site(site.kafka.model_copy(update={"topic_prefix": "nowhere-"}), site.redis, site.folder)
    done = argus(nowhere, "--no-follow")
    assert done.returncode == 1
    assert "run argus topics provision" in done.stderr


def test_a_person_acts_on_an_alert_and_schedules_a_maintenance(site: Site) -> None:
    asyncio.run(tell(site, raised(STEP), raised(STEP, "web2")))
    assert argus(site, "mitigate", "web1/cpu_used_pct", "--by", "ann", "--note", "moved").returncode == 0
    refused = argus(site, "mitigate", "web3")
    assert refused.returncode == 2
    assert "none of that server" in refused.stderr
    done = argus(site, "maintenance", "2h", "--server", "db1", "--start", "2025-01-01T00:00:00")
    assert "maintenance of server db1 of fleet default from 2025-01-01 00:00 UTC for 2h" in done.stdout
    records = asyncio.run(site.records(COMMANDS.name))
    told = [
        decode_any((BreachMitigated, MaintenanceScheduled), _Received(value, headers)) for headers, value in records
    ]
    acted, planned = told
    assert isinstance(acted, BreachMitigated)
    assert isinstance(planned, MaintenanceScheduled)
    assert (acted.alert, acted.by, acted.note) == (raised(STEP).alert, "ann", "moved")
    assert (planned.start_ms, planned.end_ms) == (1_735_689_600_000, 1_735_696_800_000)


class _Received:
    def __init__(self, value: bytes, headers: Mapping[str, bytes]) -> None:
        self.value, self.headers = value, list(headers.items())
