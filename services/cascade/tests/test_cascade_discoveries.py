"""How many of a fleet may be called abnormal."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from argus_cascade.domain.evidence.discoveries import threshold

chances = st.lists(st.floats(0, 1), min_size=1, max_size=40).map(np.array)


def test_a_lone_server_is_held_to_the_level_whatever_the_fleet() -> None:
    assert threshold(np.array([0.5]), level=0.003, share=0.05) == 0.003
    assert threshold(np.array([0.002] + [0.5] * 999), level=0.003, share=0.05) == 0.05 / 1000


def test_without_servers_the_level_stands() -> None:
    assert threshold(np.array([]), level=0.003, share=0.05) == 0.003


def test_the_share_of_false_discoveries_is_controlled() -> None:
    rng = np.random.default_rng(0)
    false = []
    for _ in range(2000):
        p = np.concatenate([rng.uniform(size=180), rng.uniform(size=20) * 1e-6])
        found = p <= threshold(p, level=0.003, share=0.05)
        false.append(found[:180].sum() / max(found.sum(), 1))
    assert 0.02 < np.mean(false) <= 0.05


@given(chances, st.floats(1e-6, 0.1), st.floats(0.01, 0.2))
def test_who_stands_out_more_never_needs_more(p: np.ndarray, level: float, share: float) -> None:
    assert threshold(p / 2, level, share) >= threshold(p, level, share)
