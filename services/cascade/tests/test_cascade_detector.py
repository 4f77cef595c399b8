"""The detector as a whole: laws that hold whatever the fleet."""

import numpy as np
import pytest
from cascade_fleet import STEP_SECONDS, Fleet
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_cascade.domain.detector import CascadeDetector, DetectorSettings
from argus_cascade.domain.life.change import Changed, Opened, Resolved, Updated
from argus_cascade.domain.topology import Topology

CHAIN = Topology.of([("s0003", "s0002"), ("s0002", "s0001"), ("s0004", "s0001")])
SPREADING = {1: 100, 2: 102, 4: 104, 3: 105}
STEPS = 170


def told(fleet: Fleet, topology: Topology, steps: int = STEPS, order: np.ndarray | None = None) -> list[Changed]:
    detector = CascadeDetector(DetectorSettings(), topology)
    return [
        change for verdict in fleet.verdicts(steps, order) for change in detector.observe(verdict, STEP_SECONDS).changes
    ]


def test_a_failure_that_spreads_is_one_cascade_with_its_origin_from_beginning_to_end() -> None:
    changes = told(Fleet(trouble=SPREADING), CHAIN)
    opened, *between, resolved = changes
    assert isinstance(opened, Opened)
    assert isinstance(resolved, Resolved)
    assert all(isinstance(change, Updated) for change in between)
    assert opened.step == SPREADING[2]
    assert opened.kind == "propagating"
    assert resolved.outcome == "recovered"
    assert [member.server for member in resolved.members] == ["s0001", "s0002", "s0004", "s0003"]
    assert {change.origins[0].server for change in changes} == {"s0001"}
    assert [change.sequence for change in changes] == list(range(len(changes)))
    assert len({change.cascade for change in changes}) == 1


def test_without_a_topology_three_members_are_needed() -> None:
    first = told(Fleet(trouble=SPREADING), Topology({}))[0]
    assert first.step >= SPREADING[4]
    assert len(first.members) >= 3


def test_one_server_alone_is_no_cascade() -> None:
    assert told(Fleet(trouble={1: 100}), CHAIN) == []


def test_servers_far_apart_in_time_are_no_cascade() -> None:
    assert told(Fleet(trouble={1: 100, 2: 120}, lasts=6), CHAIN) == []


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_independent_noise_is_no_cascade(seed: int) -> None:
    assert told(Fleet(servers=60, seed=seed), CHAIN, steps=288) == []


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_the_order_of_servers_does_not_matter(seed: int) -> None:
    fleet = Fleet(seed=seed, trouble=SPREADING)
    shuffled = np.random.default_rng(seed).permutation(fleet.servers)
    assert told(fleet, CHAIN, order=shuffled) == told(fleet, CHAIN)


@settings(max_examples=10, deadline=None)
@given(at=st.integers(0, STEPS - 1))
def test_a_snapshot_at_any_tick_has_the_same_future(at: int) -> None:
    verdicts = list(Fleet(trouble=SPREADING).verdicts(STEPS))
    kept = CascadeDetector(DetectorSettings(), CHAIN)
    for verdict in verdicts[:at]:
        kept.observe(verdict, STEP_SECONDS)
    restored = CascadeDetector.restore(kept.snapshot(), DetectorSettings(), CHAIN)
    for verdict in verdicts[at:]:
        assert restored.observe(verdict, STEP_SECONDS) == kept.observe(verdict, STEP_SECONDS)
    assert restored.snapshot() == kept.snapshot()


def test_a_snapshot_of_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = CascadeDetector(DetectorSettings(), CHAIN).snapshot()
    monkeypatch.setattr("argus_cascade.domain.snapshots.VERSION", 99)
    with pytest.raises(ValueError, match="version 3"):
        CascadeDetector.restore(snapshot, DetectorSettings(), CHAIN)
