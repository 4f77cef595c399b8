"""What is usual: by how restless the peers of a server are, learned when it is over, and for fleets that are young."""

import numpy as np
import pytest
from cascade_fleet import STEP_SECONDS, Fleet, verdict
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_cascade.domain.detector import CascadeDetector, DetectorSettings
from argus_cascade.domain.grouping import Grouping
from argus_cascade.domain.grouping.counts import Counts, lesson
from argus_cascade.domain.grouping.peers import peers
from argus_cascade.domain.life.change import Opened
from argus_cascade.domain.topology import Topology

SERVERS, DAY = 100, 288
NOTHING = Topology({})
ALIKE = np.zeros(SERVERS, np.int64)


def learned(counts: Counts, restless: int, risen: int, steps: int, group: np.ndarray = ALIKE) -> Counts:
    """After so many steps in which the first ``restless`` servers were, and so many had risen to the lowest level."""
    for _ in range(steps):
        usual = counts.usual(np.arange(SERVERS) < restless, group, 1e-6, DAY)
        counts.learn(lesson(usual, np.zeros(risen, np.int64), group[:risen]), 1e-4)
    return counts


def expected(counts: Counts, restless: int, group: np.ndarray = ALIKE) -> float:
    return float(counts.usual(np.arange(SERVERS) < restless, group, 1e-6, DAY).mean[:, 0].sum())


def test_what_is_usual_depends_on_how_restless_the_fleet_is() -> None:
    counts = learned(learned(Counts(), 5, 0, 5 * DAY), 30, 4, 5 * DAY)
    assert expected(counts, 5) < 0.3
    assert expected(counts, 30) == pytest.approx(4, abs=1)


def test_what_was_never_seen_is_drawn_to_what_was() -> None:
    calm, lively = learned(Counts(), 10, 0, 5 * DAY), learned(Counts(), 10, 3, 5 * DAY)
    assert 5 * expected(calm, 60) < expected(lively, 60)


def test_only_the_peers_of_a_server_make_it_likelier_to_rise() -> None:
    two = np.arange(SERVERS) // 50
    usual = Counts().usual(np.arange(SERVERS) < 25, two, 1e-6, DAY)
    assert usual.chance[0, 0] > 10 * usual.chance[1, 0]


def together(rises: list[int]) -> tuple[float, float]:
    """By how much likelier a server makes a peer and another one, in a fleet where so many rise at a time."""
    counts = Counts()
    for step in range(2000):
        learned(counts, 15, rises[step % len(rises)], 1)
    among_peers, among_others = counts.usual(np.arange(SERVERS) < 15, ALIKE, 1e-6, DAY).together[:, 0]
    return float(among_peers), float(among_others)


def test_servers_that_rise_together_make_their_peers_likelier() -> None:
    bunched, even = together([4, 0, 0, 0]), together([1, 1, 1, 1])
    assert bunched[0] > 1
    assert even[0] < 0.1
    assert max(bunched[1], even[1]) < 0.5


def test_chances_never_fall_below_the_least() -> None:
    usual = Counts().usual(np.zeros(SERVERS, np.bool_), ALIKE, 0.01, DAY)
    assert usual.chance.min() == 0.01


def test_peers_are_of_one_profile_or_of_one_name_but_for_its_numbers() -> None:
    known = {"a": "web_api", "b": "web_api", "db1": "generic"}
    assert peers(["a", "b", "db1", "db2", "cache-1a"], known).tolist() == [0, 0, 1, 1, 2]


def test_what_leads_to_a_cascade_teaches_nothing() -> None:
    calm = dict.fromkeys((f"calm{i}" for i in range(60)), 0.2)
    grouping, ill = Grouping(NOTHING, STEP_SECONDS), dict.fromkeys(list(calm)[:5], 20.0)
    for step in range(40):
        grouping.observe(verdict(step, calm), [], {})
    before = grouping.counts.servers.sum()
    (opening,) = grouping.observe(verdict(40, {**calm, **ill}), [], {}).opening
    assert set(opening.onsets) == set(ill)
    assert list(grouping.lessons.waiting) == []
    assert grouping.counts.risen.sum() == 0
    assert grouping.counts.servers.sum() == before


def opened(fleet: Fleet, steps: int) -> list[Opened]:
    detector = CascadeDetector(DetectorSettings(), NOTHING)
    said = (detector.observe(one, STEP_SECONDS).changes for one in fleet.verdicts(steps))
    return [change for changes in said for change in changes if isinstance(change, Opened)]


def test_servers_that_fall_ill_one_by_one_in_a_calm_young_fleet_are_told_as_one() -> None:
    trouble = {number: 96 + 2 * number for number in range(6)}
    (cascade,) = opened(Fleet(servers=300, trouble=trouble), 120)
    assert cascade.step <= 104
    assert {"s0000", "s0001", "s0002"} <= {member.server for member in cascade.members}


@settings(max_examples=5, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), servers=st.sampled_from([4, 12, 150]))
def test_a_fleet_in_its_first_hours_does_not_shout(seed: int, servers: int) -> None:
    assert opened(Fleet(servers=servers, seed=seed), 100) == []


@pytest.mark.parametrize("servers", [12, 150])
def test_a_fleet_in_its_first_hours_is_not_deaf(servers: int) -> None:
    found = opened(Fleet(servers=servers, trouble={1: 40, 2: 41, 3: 43, 4: 44}, size=9.0), 60)
    assert [one.step <= 48 for one in found] == [True]
