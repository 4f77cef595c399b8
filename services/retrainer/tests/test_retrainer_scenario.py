"""From a cause to a version that serves, on a real Kafka and Redis: a real job trains, is killed, goes on."""

import asyncio
import shutil
from pathlib import Path

import pytest
from argus_site import IngestProcess, Site, until
from retrainer_archive import fill_archive, fleet
from retrainer_site import archive_of, kinds, quick, send_events, start_retrainer, told

from argus_common.events import RetrainRequested, TrainingCancelRequested
from argus_common.topics import COMMANDS
from argus_forecasting.trained.artefact import load_from, read_manifest
from argus_forecasting.trained.store import CARD, ModelStore

pytestmark = pytest.mark.slow
PATIENCE_SECONDS = 600.0
"""A training takes a minute of a free core, and gives way to everything on a busy one."""


@pytest.fixture(scope="module")
def healthy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("healthy") / "archive"
    fill_archive(place, fleet(8, 10))
    return place


def given(site: Site, archive: Path) -> None:
    shutil.copytree(archive, archive_of(site))


def stage_of(site: Site) -> str:
    texts = [file.read_text() for file in (site.folder / "work").glob("*/progress.json")]
    return texts[0] if texts else ""


def until_told(site: Site, *wanted: str) -> None:
    until(lambda: kinds(site) == list(wanted), f"{wanted} on the models topic", PATIENCE_SECONDS)


@pytest.mark.timeout(1500)
def test_a_first_model_is_trained_compared_and_promoted_by_itself(site: Site, healthy: Path) -> None:
    given(site, healthy)
    replica = start_retrainer(site, **quick(site))
    until_told(site, "training.started", "model.promoted")
    (_, started), (_, promoted) = told(site)
    assert [cause["kind"] for cause in started["causes"]] == ["age"]
    assert (promoted["version"], promoted["by"], promoted["previous_version"]) == (
        started["version"],
        "retrainer",
        None,
    )
    assert promoted["gate"]["passed"]
    store = ModelStore(site.folder / "models")
    manifest, _ = load_from(store, "fleet", promoted["version"], promoted["manifest_sha256"])
    assert manifest.training["gate"] == promoted["gate"]
    card = (store.place("fleet", promoted["version"]) / CARD).read_text()
    assert "## Gate: it may serve" in card
    until(lambda: not (site.folder / "work" / promoted["version"] / "trace").exists(), "the work folder to be cleared")
    assert replica.metric('argus_retrainer_outcomes_total{outcome="model.promoted"}') == 1
    asyncio.run(
        send_events(site, COMMANDS.name, RetrainRequested(model="fleet", requested_ms=started["started_ms"] + 1))
    )
    until(lambda: told(site)[-1][0] == "retrain.refused", "the next one to be refused")
    assert told(site)[-1][1]["reason"] == "cool_down"
    assert replica.terminate() == 0


@pytest.mark.timeout(1500)
def test_killed_at_each_stage_it_goes_on_and_promotes_once(site: Site, healthy: Path) -> None:
    given(site, healthy)
    stages = iter(("exporting", "training", '"done": 3', "comparing"))
    for stage in stages:
        replica = start_retrainer(site, **quick(site))
        until(lambda s=stage: s in stage_of(site) or "model.promoted" in kinds(site), stage, PATIENCE_SECONDS)  # type: ignore[misc]
        kill_everything(site, replica)
    start_retrainer(site, **quick(site))
    until(lambda: "model.promoted" in kinds(site), "a promotion", PATIENCE_SECONDS)
    assert kinds(site) == ["training.started", "model.promoted"]
    (work,) = (site.folder / "work").glob("*")
    assert int((work / "launches.json").read_text()) >= 3


def kill_everything(site: Site, replica: IngestProcess) -> None:
    """The retrainer, and its job where it has one."""
    from argus_retrainer.adapters.local_launcher import LocalLauncher  # noqa: PLC0415

    replica.kill()
    for place in (site.folder / "work").glob("*"):
        asyncio.run(LocalLauncher(place.parent).cancel(place.name))


@pytest.mark.timeout(1500)
def test_a_job_outlives_its_retrainer_and_is_found_by_the_next(site: Site, healthy: Path) -> None:
    given(site, healthy)
    first = start_retrainer(site, **quick(site))
    until(lambda: "training" in stage_of(site), "training to begin", PATIENCE_SECONDS)
    first.kill()
    start_retrainer(site, **quick(site))
    until_told(site, "training.started", "model.promoted")
    (work,) = (site.folder / "work").glob("*")
    assert int((work / "launches.json").read_text()) == 1


@pytest.mark.timeout(1500)
def test_what_was_learned_from_a_poisoned_archive_is_rejected(site: Site) -> None:
    fill_archive(archive_of(site), fleet(8, 10, poisoned=True))
    replica = start_retrainer(site, **quick(site))
    until_told(site, "training.started", "model.rejected")
    (_, started), (_, rejected) = told(site)
    assert "better_than_statistical" in [check["name"] for check in rejected["gate"]["checks"] if not check["passed"]]
    place = ModelStore(site.folder / "models").place("fleet", started["version"])
    assert "## Gate: rejected" in (place / CARD).read_text()
    assert not read_manifest(place).training["gate"]["passed"]
    assert replica.terminate() == 0


@pytest.mark.timeout(1500)
def test_a_cancel_ends_the_job_at_once(site: Site, healthy: Path) -> None:
    given(site, healthy)
    start_retrainer(site, **quick(site, ARGUS_RETRAINER_STEPS="100000"))
    until(lambda: '"stage": "training"' in stage_of(site), "training to begin", PATIENCE_SECONDS)
    (_, started), *_ = told(site)
    cancel = TrainingCancelRequested(model="fleet", requested_ms=started["started_ms"], by="ann", reason="not now")
    asyncio.run(send_events(site, COMMANDS.name, cancel))
    until_told(site, "training.started", "training.failed")
    assert (told(site)[1][1]["reason"], told(site)[1][1]["detail"]) == ("cancelled", "ann: not now")
    from argus_retrainer.adapters.local_launcher import LocalLauncher  # noqa: PLC0415

    assert not asyncio.run(LocalLauncher(site.folder / "work").runs(started["version"]))


@pytest.mark.timeout(1500)
def test_of_two_replicas_one_trains_and_the_other_takes_over(site: Site, healthy: Path) -> None:
    given(site, healthy)
    replicas = [start_retrainer(site, **quick(site)) for _ in range(2)]
    until(lambda: '"stage": "training"' in stage_of(site), "training to begin", PATIENCE_SECONDS)
    active = [replica.metric("argus_retrainer_active") for replica in replicas]
    assert sorted(active) == [0, 1]
    replicas[active.index(1)].kill()
    until_told(site, "training.started", "model.promoted")
