"""`argus cascades watch`: what is open, who began, who is next, what is over."""

import asyncio
import io
import json
import os
import subprocess
import sys

from argus_site import Site
from cascade_events import opened, resolved, updated
from rich.console import Console

from argus_cli.cascades.board import CascadeBoard
from argus_cli.cascades.view import render
from argus_common.events import CascadeEvent, CascadeOrigin, encode
from argus_common.kafka.outbox import Outbox
from argus_common.levels import Level
from argus_common.topics import CASCADES


def board(*events: CascadeEvent) -> CascadeBoard:
    made = CascadeBoard()
    for event in events:
        made.add(event)
    return made


def shown(made: CascadeBoard, width: int = 100) -> str:
    written = io.StringIO()
    Console(file=written, width=width, force_terminal=False).print(render(made))
    return written.getvalue()


def test_the_worst_comes_first_and_what_somebody_works_on_last() -> None:
    made = board(opened("a", score=62.0), opened("b", score=95.0, severity=Level.CRITICAL), opened("c", silenced=True))
    assert [one.members[0].server for one in made.worst()] == ["b", "a", "c"]


def test_what_is_told_again_or_late_changes_nothing() -> None:
    made = board(updated(sequence=3, score=90.0, severity=Level.CRITICAL))
    assert not made.add(updated(sequence=3))
    assert not made.add(opened())
    assert [one.score for one in made.worst()] == [90.0]


def test_a_cascade_that_is_over_does_not_come_back() -> None:
    made = board(opened(), resolved())
    assert not made.add(updated())
    assert made.worst() == []
    assert [one.outcome for one in made.last_over(5)] == ["recovered"]


def test_one_reads_who_is_unwell_who_began_who_is_next_and_where_to_look() -> None:
    text = shown(board(opened()))
    assert "2 of 2 unwell since Wed 00:00, spreading, likely from db1 (81%)" in text
    assert "db1: cpu_used_pct 14.2 sigmas beyond its band, now 97.5" in text
    assert "db1 81%: its trouble began first" in text
    assert "web2 60%, in 10 min (5 min to 25 min)" in text
    assert "web3" not in text


def test_an_origin_is_named_only_where_it_is_likely() -> None:
    sure, unsure = CascadeOrigin(server="db1", probability=0.9), CascadeOrigin(server="db1", probability=0.3)
    hardly = CascadeOrigin(server="db1", probability=0.004)
    assert "perhaps from db1 (30%)" in shown(board(opened(origins=[unsure])))
    text = shown(board(opened(origins=[hardly])))
    assert "from db1" not in text
    assert "origin  not clear yet" in text
    text = shown(board(opened(origins=[sure], kind="common_cause")))
    assert "all at once\n" in text
    assert "origin  none of them: one cause for all" in text
    assert "cpu_used_pct on db1" in text


def test_a_large_cascade_is_cut_short_with_a_count() -> None:
    first = opened().members[0]
    members = [first.model_copy(update={"server": f"web{i}"}) for i in range(40)]
    text = shown(board(opened(members=members)))
    assert "and 34 more" in text
    assert len(text.splitlines()) < 20


def test_without_cascades_it_says_so() -> None:
    assert "No cascade is open." in shown(board())


def argus(site: Site, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "argus_cli.main", "cascades", "watch", "--no-follow", *arguments],
        env=os.environ
        | {"COLUMNS": "100", "TERM": "dumb"}
        | {
            "ARGUS_KAFKA_BOOTSTRAP_SERVERS": site.kafka.bootstrap_servers,
            "ARGUS_KAFKA_TOPIC_PREFIX": site.kafka.topic_prefix,
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


async def tell(site: Site, *events: CascadeEvent) -> None:
    outbox = Outbox(site.kafka, "test")
    await outbox.start()
    await outbox.send(CASCADES.name, [encode(event, "/argus/test") for event in events])
    await outbox.stop()


def test_history_is_told_as_a_board_and_as_lines_of_one_fleet(site: Site) -> None:
    events = [opened(), updated(), resolved(), opened("db2")]
    asyncio.run(tell(site, *events))
    table = argus(site)
    assert table.returncode == 0, table.stderr
    assert "likely from db2" in table.stdout
    assert "recovered" in table.stdout
    lines = argus(site, "--json")
    assert [json.loads(line)["id"] for line in lines.stdout.splitlines()] == [event.id() for event in events]
    assert argus(site, "--json", "--fleet", "eu").stdout == ""
