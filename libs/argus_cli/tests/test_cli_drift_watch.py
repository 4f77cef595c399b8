"""`argus drift watch`: what stands, whose, what it does to forecasts, what is over."""

import asyncio
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from argus_site import Site
from rich.console import Console

from argus_cli.drift.board import DriftBoard
from argus_cli.drift.view import render
from argus_common.events import DriftCleared, DriftDetected, DriftEvent, DriftUpdated, encode
from argus_common.kafka.outbox import Outbox
from argus_common.levels import Level
from argus_common.topics import DRIFT

EXAMPLE = Path(__file__).parents[3] / "tests/contract/examples/argus.drift.v1/v1/detected.json"


def detected(drift: str = "default/300/1/web", **fields: object) -> DriftDetected:
    return DriftDetected.model_validate(_example() | {"drift": drift} | fields)


def updated(drift: str = "default/300/1/web", **fields: object) -> DriftUpdated:
    return DriftUpdated.model_validate(_example() | {"drift": drift, "sequence": 1} | fields)


def cleared(drift: str = "default/300/1/web", **fields: object) -> DriftCleared:
    over = {"drift": drift, "sequence": 2, "outcome": "adopted", "duration_seconds": 86_400}
    return DriftCleared.model_validate(_example() | over | fields)


def _example() -> dict[str, Any]:
    return dict(json.loads(EXAMPLE.read_text(encoding="utf-8"))["payload"])


def board(*events: DriftEvent) -> DriftBoard:
    made = DriftBoard()
    for event in events:
        made.add(event)
    return made


def shown(made: DriftBoard) -> str:
    written = io.StringIO()
    Console(file=written, width=120, force_terminal=False).print(render(made))
    return written.getvalue()


def test_drifts_of_many_servers_come_before_those_of_one_and_the_worst_of_them_first() -> None:
    single = detected("a", scope="server", score=95.0, severity=Level.CRITICAL)
    made = board(single, detected("b", score=55.0), detected("c", score=70.0))
    assert [one.drift for one in made.worst()] == ["c", "b", "a"]


def test_what_is_told_again_or_late_changes_nothing_and_what_is_over_does_not_come_back() -> None:
    made = board(updated(sequence=3, score=90.0))
    assert not made.add(detected())
    assert made.add(cleared(sequence=4))
    assert not made.add(updated(sequence=5))
    assert made.worst() == []
    assert [one.outcome for one in made.last_over(5)] == ["adopted"]


def test_one_reads_whose_of_which_kind_what_it_does_and_whether_retraining_helps() -> None:
    text = shown(board(detected()))
    assert "2 of 3 web servers of default: level of cpu_used_pct since Wed 01 Jan 00:00 (97% sure)" in text
    assert "web1: level of cpu_used_pct, 1.8 thresholds" in text
    assert "cpu_used_pct: lose 1.70 times what they did, 61% of values in the 80 % band" in text
    assert "retrain   yes: forecasts lose 1.7 times" in text
    assert "look at   what was deployed" in text


def test_what_is_not_known_yet_is_not_made_up() -> None:
    text = shown(
        board(detected(measures=[{"target": "cpu_used_pct"}], retraining_helps="unknown", retraining_reason=""))
    )
    assert "cpu_used_pct: not known yet" in text
    assert "retrain   unknown\n" in text


def test_without_drift_it_says_so_and_how_earlier_ones_ended() -> None:
    assert "No drift stands." in shown(board())
    assert "adopted" in shown(board(detected(), cleared()))


def argus(site: Site, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "argus_cli.main", "drift", "watch", "--no-follow", *arguments],
        env=os.environ
        | {"COLUMNS": "120", "TERM": "dumb"}
        | {
            "ARGUS_KAFKA_BOOTSTRAP_SERVERS": site.kafka.bootstrap_servers,
            "ARGUS_KAFKA_TOPIC_PREFIX": site.kafka.topic_prefix,
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


async def tell(site: Site, *events: DriftEvent) -> None:
    outbox = Outbox(site.kafka, "test")
    await outbox.start()
    await outbox.send(DRIFT.name, [encode(event, "/argus/test") for event in events])
    await outbox.stop()


def test_history_is_told_as_a_board_and_single_servers_only_when_asked_for(site: Site) -> None:
    events = [detected(), updated(), detected("one", scope="server")]
    asyncio.run(tell(site, *events))
    table = argus(site)
    assert table.returncode == 0, table.stderr
    assert "2 of 3 web servers" in table.stdout
    told = [json.loads(line)["id"] for line in argus(site, "--json").stdout.splitlines()]
    assert told == [event.id() for event in events[:2]]
    told = [json.loads(line)["id"] for line in argus(site, "--json", "--servers").stdout.splitlines()]
    assert told == [event.id() for event in events]
