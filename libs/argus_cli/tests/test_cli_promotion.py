"""``argus models promote``, ``rollback`` and what ``list`` says of it, on a real broker."""

import asyncio
from pathlib import Path

import pytest
from model_site import MODEL, add_version, spoil
from typer.testing import CliRunner

from argus_cli.models import app
from argus_cli.promotion_topic import events_now
from argus_common.errors import ConfigurationError, ModelUnavailableError, TransientError
from argus_common.events import ModelPromoted, ModelRolledBack
from argus_common.kafka.provision import provision
from argus_common.settings import KafkaSettings
from argus_forecasting.trained.store import ModelStore

NOWHERE = "127.0.0.1:1"


@pytest.fixture
def kafka(bootstrap_servers: str, unique_prefix: str, monkeypatch: pytest.MonkeyPatch) -> KafkaSettings:
    """A broker with topics, which the command is pointed at."""
    monkeypatch.setenv("ARGUS_KAFKA_BOOTSTRAP_SERVERS", bootstrap_servers)
    monkeypatch.setenv("ARGUS_KAFKA_TOPIC_PREFIX", unique_prefix)
    settings = KafkaSettings(bootstrap_servers=bootstrap_servers, topic_prefix=unique_prefix)
    asyncio.run(provision(settings, partitions=1))
    return settings


@pytest.fixture
def store(tmp_path: Path) -> ModelStore:
    made = ModelStore(tmp_path / "models")
    for version in ("1", "2"):
        add_version(made, version)
    return made


def models(store: ModelStore, *words: str) -> str:
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, [*words, "--models", str(store.folder)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.output


def served(text: str) -> list[str]:
    """The versions that a list marks."""
    versions = [line.split("│")[2].strip() for line in text.splitlines() if "│" in line]
    return [version.removesuffix(" serves") for version in versions if version.endswith(" serves")]


def test_a_promoted_version_is_told_marked_and_rolled_back(kafka: KafkaSettings, store: ModelStore) -> None:
    assert served(models(store, "list")) == []
    assert "fleet 1 is promoted" in models(store, "promote", "fleet/1")
    told = models(store, "promote", "fleet/2", "--reason", "newer")
    assert "fleet 2 is promoted, fleet 1 before it" in told
    assert "ARGUS_INFERENCE_MODEL_NAME=fleet" in told
    assert served(models(store, "list")) == ["2"]
    assert "serves fleet 1" in models(store, "rollback", "fleet", "--reason", "worse")
    assert served(models(store, "list")) == ["1"]
    assert "serves what the settings name" in models(store, "rollback", "fleet")
    assert served(models(store, "list")) == []
    first, second, back, out = asyncio.run(events_now(kafka))
    assert isinstance(first, ModelPromoted)
    assert isinstance(second, ModelPromoted)
    assert (first.previous_version, second.previous_version) == (None, "1")
    assert (second.reason, second.family, second.manifest_sha256) == ("newer", "residual", store.sha256(MODEL, "2"))
    assert second.scores["cpu_used_pct"] == 0.9
    assert second.uri.endswith("/models/fleet/2")
    assert isinstance(back, ModelRolledBack)
    assert (back.version, back.withdrawn_version, back.reason) == ("1", "2", "worse")
    assert back.manifest_sha256 == store.sha256(MODEL, "1")
    assert (out.version, isinstance(out, ModelRolledBack)) == (None, True)


def test_a_version_that_can_not_be_trusted_is_not_promoted(kafka: KafkaSettings, store: ModelStore) -> None:
    spoil(store, "2")
    with pytest.raises(ModelUnavailableError, match="altered"):
        models(store, "promote", "fleet/2")
    with pytest.raises(ModelUnavailableError, match="no such version"):
        models(store, "promote", "fleet/3")
    assert asyncio.run(events_now(kafka)) == []


def test_a_rollback_to_a_version_that_can_not_be_trusted_is_refused(kafka: KafkaSettings, store: ModelStore) -> None:
    for version in ("1", "2"):
        models(store, "promote", f"fleet/{version}")
    spoil(store, "1")
    with pytest.raises(ModelUnavailableError, match="altered"):
        models(store, "rollback", "fleet")
    assert len(asyncio.run(events_now(kafka))) == 2


@pytest.mark.parametrize("name", ["../fleet/1", "fleet/../../x", "fleet/"])
def test_a_name_that_leads_elsewhere_is_refused(kafka: KafkaSettings, store: ModelStore, name: str) -> None:
    with pytest.raises(ModelUnavailableError, match="is no name"):
        models(store, "promote", name)
    assert asyncio.run(events_now(kafka)) == []


def test_a_name_without_a_version_is_answered_with_what_one_looks_like(store: ModelStore) -> None:
    with pytest.raises(ConfigurationError, match="is not NAME/VERSION, such as fleet/2"):
        models(store, "promote", "fleet")


def test_nothing_is_rolled_back_where_nothing_was_promoted(kafka: KafkaSettings, store: ModelStore) -> None:
    with pytest.raises(ModelUnavailableError, match="no version of fleet was promoted"):
        models(store, "rollback", "fleet")
    assert asyncio.run(events_now(kafka)) == []


def test_without_a_broker_versions_are_listed_and_what_is_not_known_is_said(
    store: ModelStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ARGUS_KAFKA_BOOTSTRAP_SERVERS", NOWHERE)
    told = models(store, "list")
    assert "residual" in told
    assert f"Which version serves is not known: Kafka at {NOWHERE} can't be reached" in told


def test_a_broker_without_the_topic_is_told_with_what_to_do(bootstrap_servers: str, unique_prefix: str) -> None:
    settings = KafkaSettings(bootstrap_servers=bootstrap_servers, topic_prefix=unique_prefix)
    with pytest.raises(TransientError, match=r"there is no topic .*argus\.models\.v1: run argus topics provision"):
        asyncio.run(events_now(settings))
