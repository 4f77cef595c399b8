"""How often the origin of a simulated cascade is ranked first, and how long the ranking takes."""

import time

import numpy as np

from argus_cascade.domain.origin import rank_origins
from argus_local import Stack
from bench.report import Measurement
from bench.waves import Wave, wave

SEEDS = range(1000, 1400)
REPEATS = 5


def measure(stack: Stack) -> list[Measurement]:
    """Waves of 3 to 20 members, with and without the topology: once known for a while, and at the last onset."""
    del stack
    whole = [wave(seed) for seed in SEEDS]
    fresh = [wave(seed, known=0) for seed in SEEDS]
    return [
        Measurement("origin first, with topology", _first(whole, known=True), "share", 0.9, 0.97),
        Measurement("origin first, without topology", _first(whole, known=False), "share", 0.7, 0.85),
        Measurement("the same at the onset of the last member, with", _first(fresh, known=True), "share"),
        Measurement("the same at the onset of the last member, without", _first(fresh, known=False), "share"),
        Measurement("promised probability, with topology", _promised(whole, known=True), "share"),
        Measurement("promised probability, without topology", _promised(whole, known=False), "share"),
        Measurement("ranking 20 members of 50 steps, one core", _milliseconds(20), "ms", higher=False),
        Measurement("ranking 200 members of 50 steps, one core", _milliseconds(200), "ms", higher=False),
    ]


def _first(waves: list[Wave], *, known: bool) -> float:
    ranks = [rank_origins(each.departures, each.topology if known else None) for each in waves]
    return float(np.mean([rank[0].server == each.origin for rank, each in zip(ranks, waves, strict=True)]))


def _promised(waves: list[Wave], *, known: bool) -> float:
    """The mean probability of the first: right if it is the share of those that are right."""
    ranks = [rank_origins(each.departures, each.topology if known else None) for each in waves]
    return float(np.mean([rank[0].probability for rank in ranks]))


def _milliseconds(members: int) -> float:
    each = wave(1, members=members)
    spent = []
    for _ in range(REPEATS):
        begun = time.process_time()
        rank_origins(each.departures, each.topology)
        spent.append(time.process_time() - begun)
    return 1000 * min(spent)
