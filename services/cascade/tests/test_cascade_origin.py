"""Who began a cascade, from the surprises of its members."""

import numpy as np
import pytest
from bench.waves import Wave, wave
from hypothesis import given, settings
from hypothesis import strategies as st

from argus_cascade.domain.origin import Candidate, Departures, Reason, rank_origins
from argus_cascade.domain.tick import Floats
from argus_cascade.domain.topology import Topology

CHAIN = Topology.of([("web", "app"), ("app", "db")])
UP = np.ones(1)
STEPS = 40


def departing(onsets: dict[str, int], size: float = 4.0, seed: int = 0) -> Departures:
    """Servers of one metric that jump in a step, −1 = never."""
    noise = np.random.default_rng(seed).normal(size=(STEPS, len(onsets), 1)) * 0.5
    for row, onset in enumerate(onsets.values()):
        if onset >= 0:
            noise[onset:, row] += size
    return Departures.of_members(tuple(onsets), noise, UP)


def chances(candidates: tuple[Candidate, ...]) -> dict[str, float]:
    return {candidate.server: candidate.probability for candidate in candidates}


def first_share(waves: list[Wave], *, topology: bool) -> float:
    ranks = [rank_origins(each.departures, each.topology if topology else None)[0].server for each in waves]
    return float(np.mean([server == each.origin for server, each in zip(ranks, waves, strict=True)]))


def test_whoever_departs_first_is_the_origin_and_says_so() -> None:
    first, *others = rank_origins(departing({"web": 26, "app": 23, "db": 20}))
    assert first.server == "db"
    assert first.probability > 0.8
    assert Reason.EARLIEST in first.reasons
    assert all(Reason.EARLIEST not in other.reasons for other in others)


def test_a_topology_tells_the_origin_where_onsets_do_not() -> None:
    together = departing({"web": 20, "app": 20, "db": 20})
    first = rank_origins(together, CHAIN)[0]
    assert first.server == "db"
    assert Reason.UPSTREAM in first.reasons
    assert rank_origins(together, Topology.of([("web", "db"), ("db", "app")]))[0].server == "app"


def test_a_server_whose_dependency_is_well_is_not_explained_by_it() -> None:
    candidates = rank_origins(departing({"web": 23, "app": 20, "db": -1}), CHAIN)
    assert candidates[0].server == "app"
    assert Reason.UNEXPLAINED in candidates[0].reasons
    explained = rank_origins(departing({"web": 23, "app": 22, "db": 20}), CHAIN)
    assert all(Reason.UNEXPLAINED not in other.reasons for other in explained)


def test_a_course_that_runs_ahead_of_the_others_leads_them() -> None:
    rng = np.random.default_rng(1)
    shock = rng.normal(size=STEPS + 3).cumsum()
    course = np.stack([shock[3:], shock[:-3]], axis=1)[..., None] + rng.normal(size=(STEPS, 2, 1)) * 0.1
    candidates = {c.server: c for c in rank_origins(Departures.of_members(("ahead", "behind"), course, UP))}
    assert Reason.LEADS in candidates["ahead"].reasons
    assert Reason.LEADS not in candidates["behind"].reasons


def test_only_the_harmful_direction_counts() -> None:
    surprise = departing({"falls": 18, "rises": 22}).surprise
    surprise[18:, 0] -= 8
    members = ("falls", "rises")
    assert rank_origins(Departures.of_members(members, surprise, np.array([1.0])))[0].server == "rises"
    assert rank_origins(Departures.of_members(members, surprise, np.array([-1.0])))[0].server == "falls"
    assert rank_origins(Departures.of_members(members, surprise, np.array([0.0])))[0].server == "falls"


def test_a_server_that_goes_silent_before_the_others_depart_is_the_origin() -> None:
    departures = departing({"web": 24, "app": 26, "db": -1})
    departures.surprise[20:, 2] = np.nan
    assert rank_origins(departures)[0].server == "db"


def test_a_pause_that_is_usual_is_no_silence() -> None:
    departures = departing({"web": 24, "app": 26, "db": -1})
    departures.surprise[10:13, 2] = np.nan
    departures.surprise[-3:, 2] = np.nan
    assert rank_origins(departures)[0].server == "web"


def test_nothing_that_departs_leaves_the_origin_open() -> None:
    candidates = rank_origins(departing(dict.fromkeys(("a", "b", "c", "d", "e"), -1)))
    assert sum(chances(candidates).values()) < 0.5
    assert all(candidate.reasons == () for candidate in candidates)


def test_without_servers_there_is_no_candidate() -> None:
    assert rank_origins(Departures.of_members((), np.empty((5, 0, 1)), UP)) == ()


@pytest.mark.parametrize(("known", "share"), [(True, 0.9), (False, 0.7)])
def test_the_origin_of_a_wave_is_ranked_first(known: bool, share: float) -> None:
    waves = [wave(seed) for seed in range(200)]
    assert first_share(waves, topology=known) >= share


def test_the_origin_is_known_when_the_last_member_departs() -> None:
    waves = [wave(seed, known=0) for seed in range(200)]
    assert first_share(waves, topology=True) >= 0.9


def test_no_more_is_promised_than_is_kept() -> None:
    waves = [wave(seed) for seed in range(200)]
    promised = np.mean([rank_origins(each.departures)[0].probability for each in waves])
    assert promised <= first_share(waves, topology=False)


def test_two_hundred_members_are_all_ranked() -> None:
    each = wave(3, members=200)
    candidates = rank_origins(each.departures, each.topology)
    assert sorted(chances(candidates)) == sorted(each.departures.servers)
    assert [c.probability for c in candidates] == sorted((c.probability for c in candidates), reverse=True)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_the_order_of_servers_does_not_matter(seed: int, known: bool) -> None:
    each = wave(seed)
    told = each.departures
    order = np.random.default_rng(seed).permutation(len(told.servers)).tolist()
    moved = Departures(tuple(told.servers[i] for i in order), told.surprise[:, order], 0, told.amount[:, order])
    topology = each.topology if known else None
    assert rank_origins(told, topology) == rank_origins(moved, topology)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.booleans(), st.booleans())
def test_probabilities_are_chances_of_one_origin(seed: int, known: bool, noticed: bool) -> None:
    each = wave(seed)
    symptom = each.departures.servers[0] if noticed else None
    found = [c.probability for c in rank_origins(each.departures, each.topology if known else None, symptom)]
    assert all(0 <= chance <= 1 for chance in found)
    assert sum(found) <= 1


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.booleans())
def test_a_calm_server_beside_a_cascade_changes_little(seed: int, known: bool) -> None:
    each = wave(seed)
    told, topology = each.departures, each.topology if known else None
    calm: Floats = np.random.default_rng(seed).normal(size=(len(told.surprise), 1, told.surprise.shape[2])) * 0.3
    more = Departures.of_members((*told.servers, "calm"), np.concatenate([told.surprise, calm], axis=1), np.ones(5))
    before, after = rank_origins(told, topology), rank_origins(more, topology)
    assert all(abs(chances(after)[server] - chance) < 0.15 for server, chance in chances(before).items())
    assert chances(after)["calm"] < 0.1
