"""``argus models retrain``, ``cancel`` and ``history``, on a real broker."""

import asyncio
import json

import pytest
from argus_site import Site
from retrainer_site import send_events
from typer.testing import CliRunner

from argus_cli.model_history import row
from argus_cli.models import app
from argus_common.errors import ConfigurationError
from argus_common.events import (
    GateCheck,
    GateRatio,
    GateResult,
    ModelPromoted,
    ModelRejected,
    ModelRolledBack,
    RetrainRefused,
    TrainingCause,
    TrainingFailed,
    TrainingStarted,
)
from argus_common.topics import COMMANDS, MODELS

T, SHA = 1_735_689_600_000, "0" * 64
CAUSE = TrainingCause(kind="drift", id="drift/1", asked_ms=T, reason="memory rose")
RATIO = GateRatio(against="champion", about="all", ratio=0.875, low=0.8, high=0.95, windows=400)
GATE = GateResult(
    passed=False, held_out_from_ms=0, held_out_until_ms=1, windows=400, servers=8,
    checks=[GateCheck(name="coverage", passed=False)], ratios=[RATIO],
)  # fmt: skip


def argus(site: Site, monkeypatch: pytest.MonkeyPatch, *words: str) -> str:
    monkeypatch.setenv("ARGUS_KAFKA_BOOTSTRAP_SERVERS", site.kafka.bootstrap_servers)
    monkeypatch.setenv("ARGUS_KAFKA_TOPIC_PREFIX", site.kafka.topic_prefix)
    result = CliRunner().invoke(app, words, env={"COLUMNS": "200"})
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def test_the_retrainer_is_asked_and_stopped(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    argus(site, monkeypatch, "retrain", "fleet", "--reason", "new release")
    argus(site, monkeypatch, "cancel", "fleet", "--reason", "not now")
    asked, cancelled = asyncio.run(site.records(COMMANDS.name))
    assert asked[0]["ce_type"] == b"io.argus.retrain.requested.v1"
    assert (json.loads(asked[1])["model"], json.loads(asked[1])["reason"]) == ("fleet", "new release")
    assert cancelled[0]["ce_type"] == b"io.argus.training.cancel_requested.v1"


def test_the_history_of_a_model_is_told_in_order(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigurationError, match="nothing was ever told of a model fleet"):
        argus(site, monkeypatch, "history", "fleet")
    started = TrainingStarted(model="fleet", version="2", causes=[CAUSE], started_ms=T)
    other = TrainingStarted(model="other", version="9", causes=[CAUSE], started_ms=T)
    failed = TrainingFailed(model="fleet", version="2", reason="cancelled", detail="ann: not now", failed_ms=T)
    asyncio.run(send_events(site, MODELS.name, started, other, failed))
    lines = [line for line in argus(site, monkeypatch, "history", "fleet").splitlines() if "2025" in line]
    assert ["training began" in lines[0], "training failed: cancelled" in lines[1], len(lines)] == [True, True, 2]
    assert "drift: memory rose" in lines[0]


def test_every_kind_of_event_has_its_line() -> None:
    promoted = ModelPromoted(
        model="fleet", version="2", family="residual", manifest_sha256=SHA, reason="drift: x", by="retrainer",
        gate=GATE, promoted_ms=T,
    )  # fmt: skip
    back = ModelRolledBack(model="fleet", version=None, withdrawn_version="2", reason="worse", rolled_back_ms=T)
    rejected = ModelRejected(
        model="fleet", version="3", family="residual", manifest_sha256=SHA, gate=GATE, rejected_ms=T
    )
    refused = RetrainRefused(model="fleet", cause=CAUSE, reason="cool_down", detail="again in 5 h", refused_ms=T)
    loss = "loss 0.88 (0.80 to 0.95) of the champion's, not passed: coverage"
    assert [row(event)[1:] for event in (promoted, back, rejected, refused)] == [
        ("2", "[green]promoted[/] by retrainer", f"drift: x · {loss}"),
        ("2", "[red]rolled back[/] to what the settings name", "worse"),
        ("3", "[yellow]rejected[/]", loss),
        ("", "refused: cool_down", "drift: memory rose · again in 5 h"),
    ]
