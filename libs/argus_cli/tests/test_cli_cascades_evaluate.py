"""``argus cascades evaluate``: scores of events and scores against two kinds of truth."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from argus_cli.cascades import app
from argus_cli.cascades.scoring import ToldCascade, average_precision, scored
from argus_cli.cascades.truth import Incident, read_truth
from argus_common.errors import ConfigurationError

START = datetime(2025, 1, 6, tzinfo=UTC)
FIRST = int(START.timestamp()) // 300


def told(opened: int, *members: str, origins: tuple[str, ...] = ()) -> ToldCascade:
    return ToldCascade(opened, None, frozenset(members), frozenset(members), origins, origins)


INCIDENT = Incident({"db1": 10, "web1": 12, "web2": 15}, 30, "db1")


def test_a_cascade_with_half_of_its_first_members_right_while_the_incident_lasts_is_right() -> None:
    found = scored([told(13, "db1", "other", origins=("db1",)), told(50, "db1", "web1")], [INCIDENT], days=2.0)
    assert (found.found, found.right, found.told) == (1, 1, 2)
    assert found.delays == (1,)
    assert found.top == (1.0, 1.0, 1.0)
    assert found.precision == 0.5
    assert found.recall == 1.0
    assert found.f1 == pytest.approx(2 / 3)
    assert found.false_per_day == 0.5


def test_mostly_others_is_false() -> None:
    assert scored([told(13, "db1", "x", "y")], [INCIDENT], days=1.0).found == 0


def test_a_second_cascade_of_the_same_incident_is_right_but_finds_nothing_more() -> None:
    found = scored([told(13, "db1", "web1"), told(16, "web2", "web1")], [INCIDENT], days=1.0)
    assert (found.found, found.right) == (1, 2)


def test_an_origin_among_the_first_three_is_no_first() -> None:
    found = scored([told(13, "db1", "web1", origins=("web1", "db1"))], [INCIDENT], days=1.0)
    assert found.top == (0.0, 1.0, 1.0)


def test_a_trace_without_incidents_has_full_recall_and_counts_false_ones() -> None:
    found = scored([told(13, "a", "b")], [], days=10.0)
    assert (found.recall, found.precision, found.false_per_day) == (1.0, 0.0, 0.1)


def test_equal_scores_are_one_threshold() -> None:
    assert average_precision(np.array([0.5, 0.5]), np.array([True, False])) == 0.5
    assert average_precision(np.array([0.5]), np.array([False])) is None


def fault(number: int, kind: str, server: str, begin: int, caused_by: int | None = None) -> str:
    begin_s = (FIRST + begin) * 300.0
    return json.dumps(
        {
            "what": "fault", "number": number, "kind": kind, "server": server, "profile": "generic",
            "begin_s": begin_s, "end_s": begin_s + 3000, "size": 1.0, "caused_by": caused_by,
        }
    )  # fmt: skip


def test_failures_that_the_simulator_caused_by_each_other_are_one_incident(tmp_path: Path) -> None:
    file = tmp_path / "truth.ndjson"
    lines = [
        fault(1, "upstream_failure", "db1", 10),
        fault(2, "dependency_failure", "web1", 12, caused_by=1),
        fault(3, "dependency_failure", "ml1", 15, caused_by=2),
        fault(4, "batch_job", "web9", 11),
        json.dumps({"what": "crossing", "server": "db1"}),
    ]
    file.write_text("\n".join(lines))
    (incident,) = read_truth(file, 300)
    assert incident.begins == {"db1": FIRST + 10, "web1": FIRST + 12, "ml1": FIRST + 15}
    assert (incident.origin, incident.second, incident.end) == ("db1", FIRST + 12, FIRST + 25)


def test_a_file_that_is_no_truth_is_refused(tmp_path: Path) -> None:
    (tmp_path / "truth.ndjson").write_text("when,who\n")
    with pytest.raises(ConfigurationError, match="simulator's truth"):
        read_truth(tmp_path / "truth.ndjson", 300)
    pl.DataFrame({"start": [START]}).write_parquet(tmp_path / "truth.parquet")
    with pytest.raises(ConfigurationError, match="no column end, members, origin"):
        read_truth(tmp_path / "truth.parquet", 300)


def event(kind: str, step: int, members: list[str]) -> str:
    return json.dumps(
        {
            "type": f"io.argus.cascade.{kind}.v1", "cascade": "c", "fleet": "default", "step": FIRST + step,
            "members": [{"server": name} for name in members], "origins": [{"server": "db1"}],
        }
    )  # fmt: skip


def test_a_labelled_replay_is_scored_on_screen_and_in_json(tmp_path: Path) -> None:
    lines = [event("opened", 6, ["db1", "web1"]), event("resolved", 20, ["db1", "web1"])]
    (tmp_path / "events.jsonl").write_text("\n".join(lines))
    times = [START + timedelta(seconds=300 * i) for i in range(288)]
    pl.DataFrame(
        {
            "start": [times[5]], "end": [times[15]], "members": [["db1", "web1"]], "origin": ["db1"],
        }
    ).write_parquet(tmp_path / "truth.parquet")  # fmt: skip
    pl.DataFrame(
        {
            "server": ["db1"] * 288 + ["web1"] * 288,
            "timestamp": times * 2,
            "score": [1.0 if 5 <= i <= 15 else 0.0 for i in range(288)] * 2,
            "abnormal": [5 <= i <= 15 for i in range(288)] * 2,
        }
    ).write_parquet(tmp_path / "scores.parquet")
    done = CliRunner().invoke(
        app,
        [
            "evaluate", str(tmp_path / "events.jsonl"), "--truth", str(tmp_path / "truth.parquet"),
            "--scores", str(tmp_path / "scores.parquet"), "--json", str(tmp_path / "found.json"),
        ],
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    found = json.loads((tmp_path / "found.json").read_text())
    assert (found["precision"], found["recall"], found["auc_pr"], found["days"]) == (1.0, 1.0, 1.0, 1.0)
    assert found["origin_top_1_3_5"] == [1.0, 1.0, 1.0]
    assert "event precision" in done.output
