"""Waves of departures through a made-up fleet, as surprises: the yardstick of the origin's rank."""

from dataclasses import dataclass

import numpy as np

from argus_cascade.domain.origin import Departures
from argus_cascade.domain.topology import Topology


@dataclass(frozen=True, slots=True)
class Wave:
    departures: Departures
    topology: Topology
    origin: str
    onset: tuple[int, ...]


def wave(seed: int, steps: int = 50, members: int | None = None, tail: int | None = None) -> Wave:
    """A tree of 3–20 members whose departures pass along its edges with 1–6 steps of lag, in noise that wanders.

    Each member departs in one to three of five metrics by 2–6 sigmas, at once or growing over 4–20 steps; a tenth of
    the values is missing. ``tail``: steps that are known after the last onset; a random number by default.
    """
    rng = np.random.default_rng(seed)
    count = members or int(rng.integers(3, 21))
    parent = [-1, *(int(rng.integers(max(0, i - 4), i)) for i in range(1, count))]
    onset = [0]
    for i in range(1, count):
        onset.append(onset[parent[i]] + int(rng.integers(1, 7)))
    known = max(onset) + (int(rng.integers(3, 12)) if tail is None else tail)
    begin = max(steps - known, 10)
    length = begin + known
    persistence = rng.uniform(0.2, 0.7)
    noise = np.zeros((length, count, 5))
    noise[0] = rng.normal(size=(count, 5))
    for t in range(1, length):
        noise[t] = persistence * noise[t - 1] + np.sqrt(1 - persistence**2) * rng.normal(size=(count, 5))
    for i in range(count):
        rise = 1 if rng.random() < 0.5 else int(rng.integers(4, 21))
        age = np.clip((np.arange(length) - begin - onset[i] + 1) / rise, 0, 1)
        for metric in rng.choice(5, int(rng.integers(1, 4)), replace=False):
            noise[:, i, metric] += rng.uniform(2, 6) * age
    noise[rng.random(noise.shape) < 0.1] = np.nan
    order = rng.permutation(count)
    names = [f"s{int(k):02d}" for k in rng.permutation(count)]
    edges = [(names[i], names[parent[i]]) for i in range(1, count)]
    servers = tuple(names[i] for i in order)
    departures = Departures(servers, noise[-steps:, order], 0, np.empty((min(steps, length), count, 0)))
    return Wave(
        departures, Topology.of(edges), names[0], tuple(onset[i] + begin - (length - min(steps, length)) for i in order)
    )
