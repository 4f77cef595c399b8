"""What the active replica does, round by round, with a store and a job that do as they are told."""

import json
import math
from pathlib import Path

import pytest
from drift_events import drift_cleared, drift_detected, drift_updated
from retrainer_world import SHA, Place, Told, World, rounds

from argus_common.events import (
    DriftEvent,
    ModelPromoted,
    ModelRolledBack,
    RetrainRequested,
    TrainingCancelRequested,
    encode,
)
from argus_retrainer.domain.attend import MOST_LAUNCHES
from argus_retrainer.job.files import JobProgress


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def test_a_training_is_told_claimed_launched_and_promoted_once(world: World) -> None:
    replica = world.replica()
    await rounds(replica)
    assert world.topic.kinds() == ["training.started"]
    assert len(world.launcher.launched) == 1
    ordered = world.job().order()
    assert ordered is not None
    assert (ordered.model, ordered.champion, ordered.version) == ("fleet", None, world.launcher.launched[0])
    world.job().write_progress(JobProgress("training", 40, 100, 0.5))
    await rounds(replica)
    assert (world.value("training"), world.value("training_steps")) == (1, 40)
    world.job_ends()
    await rounds(replica)
    assert world.topic.kinds() == ["training.started", "model.promoted"]
    assert world.place.training == b""
    assert world.versions.tidied == [((ordered.version,), (ordered.version,))]
    assert (world.value("training"), world.value("outcomes_total", outcome="model.promoted")) == (0, 1)


@pytest.mark.parametrize(("outcome", "kind"), [("rejected", "model.rejected"), ("failed", "training.failed")])
async def test_a_job_that_ends_otherwise_is_told_so(world: World, outcome: str, kind: str) -> None:
    replica = world.replica()
    await rounds(replica)
    world.job_ends(outcome)
    await rounds(replica)
    assert world.topic.kinds()[:2] == ["training.started", kind]


async def test_only_one_of_two_replicas_is_active(world: World) -> None:
    first, second = world.replica(), world.replica()
    await first.round()
    await rounds(second)
    assert world.topic.kinds() == ["training.started"]
    assert world.launcher.launched == []
    world.crashed()
    await rounds(second)
    assert len(world.launcher.launched) == 1


async def test_a_replica_that_lost_the_lease_ends_its_job_and_begins_nothing(world: World) -> None:
    first = world.replica()
    await rounds(first)
    world.place.holder = "another"
    await rounds(first)
    assert world.launcher.cancelled == world.launcher.launched
    assert world.topic.kinds() == ["training.started"]


async def test_killed_between_claim_and_event_the_claimed_training_is_told_by_the_next(world: World) -> None:
    first = world.replica()
    await first.round()
    claimed, told = world.place.training, world.topic.records.pop()
    world.crashed()
    world.clock.advance(60)
    await rounds(world.replica())
    assert world.topic.records == [told]
    assert world.place.training == claimed


async def test_killed_after_the_end_was_told_the_claim_is_given_up_and_nothing_told_twice(world: World) -> None:
    first = world.replica()
    await rounds(first)
    claimed = world.place.training
    world.job_ends()
    await rounds(first)
    world.place.training = claimed
    world.crashed()
    await rounds(world.replica())
    assert world.topic.kinds() == ["training.started", "model.promoted"]
    assert world.place.training == b""


async def test_a_redis_that_was_emptied_is_told_again_what_is_trained(world: World) -> None:
    first = world.replica()
    await rounds(first)
    world.place = Place()
    await rounds(world.replica())
    assert b"started_ms" in world.place.training
    assert world.topic.kinds() == ["training.started"]
    assert len(world.launcher.launched) == 1, "its job runs"


async def test_a_job_that_died_is_started_again_a_few_times(world: World) -> None:
    replica = world.replica()
    for _ in range(MOST_LAUNCHES + 3):
        await rounds(replica)
        world.launcher.running.clear()
    assert len(world.launcher.launched) == MOST_LAUNCHES
    assert world.topic.kinds()[:2] == ["training.started", "training.failed"]


async def test_a_training_that_takes_too_long_is_ended(world: World) -> None:
    replica = world.replica()
    await rounds(replica)
    world.clock.advance(12 * 3600 + 1)
    await rounds(replica)
    assert world.launcher.cancelled == world.launcher.launched
    assert json.loads(world.topic.records[1].value)["reason"] == "time_limit"


async def test_a_cancel_ends_the_training_and_its_cause(world: World) -> None:
    world.topic.put(RetrainRequested(model="fleet", requested_ms=world.clock.now_ms()))
    replica = world.replica()
    await rounds(replica)
    world.topic.put(TrainingCancelRequested(model="fleet", requested_ms=world.clock.now_ms(), by="ann"))
    await rounds(replica)
    assert "training.failed" in world.topic.kinds()
    assert world.launcher.running == set()
    assert world.value("pending_causes") == 0


async def test_a_refusal_is_told_once_whoever_is_active(world: World) -> None:
    world.archive.count = 3
    await rounds(world.replica())
    world.crashed()
    await rounds(world.replica())
    assert world.topic.kinds() == ["retrain.refused"]
    assert json.loads(world.topic.records[0].value)["reason"] == "too_little_data"


def forecast(version: str, step: int, model: float) -> Told:
    score = {"target": "cpu_used_pct", "model_pinball": model, "statistical_pinball": 1.0}
    body = {"fleet": "eu", "server": "a", "origin": 5_785_632 + step, "step_seconds": 300, "risk": 0.0}
    served = {"model": {"name": "fleet", "version": version}, "scores": [score]}
    return Told(json.dumps(body | served).encode(), [])


async def test_a_version_that_does_worse_than_it_promised_is_rolled_back_once(world: World) -> None:
    world.topic.put(RetrainRequested(model="fleet", requested_ms=world.clock.now_ms()))
    replica = world.replica()
    await rounds(replica)
    world.job_ends()
    await rounds(replica)
    version = world.launcher.launched[0]
    world.forecasts.records += [forecast(version, step, 2.0) for step in range(100)]
    await rounds(replica)
    assert world.topic.kinds()[1:4] == ["training.started", "model.promoted", "model.rolled_back"]
    told = json.loads(world.topic.records[3].value)
    assert (told["version"], told["withdrawn_version"]) == (None, version)
    assert told["reason"] == "live loss 2.00 times that of the statistical forecaster, 1.15 is allowed"
    world.crashed()
    await rounds(world.replica())
    refused = [json.loads(record.value) for record in world.topic.records[4:]]
    assert {(one["cause"]["kind"], one["reason"]) for one in refused} == {
        ("command", "cool_down"),
        ("age", "cool_down"),
    }
    assert len(refused) == 2, "what it was trained for stands again, after the cool-down"


async def test_a_version_that_does_well_serves_on(world: World) -> None:
    replica = world.replica()
    await rounds(replica)
    world.job_ends()
    await rounds(replica)
    world.forecasts.records += [forecast(world.launcher.launched[0], step, 0.9) for step in range(100)]
    await rounds(replica)
    assert world.topic.kinds() == ["training.started", "model.promoted"]
    assert world.value("live_loss_ratio") == pytest.approx(0.9)


async def test_a_rollback_by_hand_is_heard_while_the_version_is_watched_and_none_follows(world: World) -> None:
    replica = world.replica()
    await rounds(replica)
    world.job_ends()
    await rounds(replica)
    version, now = world.launcher.launched[0], world.clock.now_ms()
    back = {"withdrawn_version": version, "reason": "slow", "by": "ann", "rolled_back_ms": now}
    world.topic.put(ModelRolledBack.model_validate({"model": "fleet", "version": None, **back}))
    world.forecasts.records += [forecast(version, step, 2.0) for step in range(100)]
    await rounds(replica)
    assert world.topic.kinds()[:3] == ["training.started", "model.promoted", "model.rolled_back"]
    assert world.topic.kinds().count("model.rolled_back") == 1
    assert math.isnan(world.value("live_loss_ratio") or 0.0), "nothing is watched any more"
    refused = [json.loads(record.value) for record in world.topic.records[3:]]
    assert [(one["cause"]["kind"], one["reason"]) for one in refused] == [("age", "cool_down")]


def serves_a_young_version(world: World) -> None:
    """So that no training is due by age alone."""
    now = world.clock.now_ms()
    made = {"version": "1", "family": "residual", "manifest_sha256": SHA, "promoted_ms": now}
    world.topic.put(ModelPromoted.model_validate({"model": "fleet", **made}))


def tell_drift(world: World, event: DriftEvent) -> None:
    record = encode(event, "/test")
    world.topic.records.append(Told(record.value, record.headers, world.clock.now_ms()))


@pytest.mark.parametrize(
    ("fields", "reason"), [({"scope": "server"}, "single_servers"), ({"retraining_helps": "no"}, "no_help")]
)
async def test_a_drift_that_no_training_helps_is_refused_until_it_says_otherwise(
    world: World, fields: dict[str, str], reason: str
) -> None:
    serves_a_young_version(world)
    tell_drift(world, drift_detected("d1", **fields))
    replica = world.replica()
    await rounds(replica)
    assert world.topic.kinds()[2:] == ["retrain.refused"]
    assert json.loads(world.topic.records[2].value)["reason"] == reason
    assert world.value("refused_causes_total", reason=reason) == 1
    tell_drift(world, drift_updated("d1"))
    await rounds(replica)
    (started,) = (
        json.loads(r.value) for r, k in zip(world.topic.records, world.topic.kinds(), strict=True) if "started" in k
    )
    assert [(cause["kind"], cause["id"]) for cause in started["causes"]] == [("drift", "d1")]
    assert started["champion"] == "1"


async def test_a_drift_that_is_over_before_it_could_be_served_trains_nothing(world: World) -> None:
    serves_a_young_version(world)
    tell_drift(world, drift_detected("d1"))
    tell_drift(world, drift_cleared("d1"))
    await rounds(world.replica())
    assert world.topic.kinds()[3:] == []
