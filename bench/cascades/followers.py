"""Followers that were named: did they follow, as often and as soon as was said? With dependencies that were told of
servers, of profiles only, and with none, learned and not.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from argus_cascade.domain.detector import CascadeDetector, DetectorSettings
from argus_cascade.domain.life.change import Changed, Resolved
from argus_cascade.domain.topology import Topology
from argus_cascade.domain.verdict import Verdict
from argus_cli.cascades.scoring import EventScores, scored
from argus_simulator.domain.fleet import Fleet
from argus_simulator.domain.profiles import DEPENDENCIES, PROFILES
from bench.cascades.fleets import FIRST_STEP, PER_DAY, STEP_SECONDS, Trial
from bench.cascades.runs import cascades, told
from bench.report import Measurement

BINS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
BY_PROFILE = Topology.of((), [(one.downstream, one.upstream) for one in DEPENDENCIES])


@dataclass(frozen=True, slots=True)
class Outcome:
    """Of a server that was named: ``said``, the probability first told, 0 … 1; ``came``: it was drawn in before the
    cascade ended, and if so ``inside`` the window from P10 to P90.
    """

    said: float
    came: bool
    inside: bool


@dataclass(frozen=True, slots=True)
class Run:
    """``before``, ``after``: of the cascades in the first and the second half of the days."""

    outcomes: list[Outcome]
    before: EventScores
    after: EventScores


def runs(trial: Trial, said: Iterable[Verdict], first_day: int, days: int) -> dict[str, Run]:
    """By what is known of the dependencies."""
    ways = {
        "servers told": (trial.topology(), False),
        "profiles told": (BY_PROFILE, False),
        "learned": (Topology({}), True),
        "nothing": (Topology({}), False),
    }
    detectors = [CascadeDetector(DetectorSettings(learn_topology=learn), told_of) for told_of, learn in ways.values()]
    found = told(said, detectors, roles(trial.fleet))
    return {way: _run(changes, trial, first_day, days) for way, changes in zip(ways, found, strict=True)}


def roles(fleet: Fleet) -> dict[str, str]:
    """Server → profile."""
    return {name: PROFILES[profile].name for name, profile in zip(fleet.names, fleet.profile.tolist(), strict=True)}


def outcomes(changes: Sequence[Changed]) -> list[Outcome]:
    """Of all followers that were told of, each once, by what was said first; at the end of their cascades."""
    said: dict[tuple[str, str], tuple[float, tuple[float, float, float], int]] = {}
    found = []
    for change in changes:
        if not isinstance(change, Resolved):
            for one in change.followers:
                if one.state == "expected":
                    said.setdefault((change.cascade, one.server), (one.probability, one.seconds, change.step))
            continue
        joined = {member.server: member.joined for member in change.members}
        for cascade, server in [key for key in said if key[0] == change.cascade]:
            probability, (low, _, high), step = said.pop((cascade, server))
            seconds = (joined.get(server, step) - step) * STEP_SECONDS
            found.append(Outcome(probability, server in joined, server in joined and low <= seconds <= high))
    return found


def measured(by_seed: Sequence[Mapping[str, Run]]) -> list[Measurement]:
    """Reliability in bins, Brier score, its skill beside the base rate, and how often the window held."""
    found = []
    for way in by_seed[0]:
        seen = [outcome for one in by_seed for outcome in one[way].outcomes]
        found += [*_halves(way, [one[way] for one in by_seed]), *(_calibration(way, seen) if seen else ())]
    return found


def _run(changes: Sequence[Changed], trial: Trial, first_day: int, days: int) -> Run:
    half = first_day + days // 2
    bounds = (first_day, half), (half, first_day + days)
    before, after = (
        scored(
            [one for one in cascades(list(changes), begin) if one.opened < _step(end)],
            [one for one in trial.incidents if _step(begin) <= one.begin < _step(end)],
            end - begin,
        )
        for begin, end in bounds
    )
    return Run(outcomes(changes), before, after)


def _step(day: int) -> int:
    return FIRST_STEP + day * PER_DAY


def _halves(way: str, of: Sequence[Run]) -> list[Measurement]:
    halves = ("first", [one.before for one in of]), ("second", [one.after for one in of])
    return [_found(f"{way}: found, {name} half", scores) for name, scores in halves]


def _found(what: str, scores: Sequence[EventScores]) -> Measurement:
    found, told_of = sum(one.found for one in scores), sum(one.told for one in scores)
    false, delays = told_of - sum(one.right for one in scores), [delay for one in scores for delay in one.delays]
    first = sum(one.top[0] * one.found for one in scores) / max(found, 1)
    delay = np.median(delays) if delays else np.nan
    note = f"{false} false of {told_of}, median delay {delay:g} steps, origin first {first:.2f}"
    return Measurement(what, found / max(sum(one.incidents for one in scores), 1), "", note=note)


def _calibration(way: str, seen: Sequence[Outcome]) -> list[Measurement]:
    said, came = np.array([one.said for one in seen]), np.array([float(one.came) for one in seen])
    base = float(came.mean())
    brier, of_base = float(np.mean((said - came) ** 2)), base * (1 - base)
    followed = [one.inside for one in seen if one.came]
    bins = [(said >= low) & (said < high + (high == 1)) for low, high in pairwise(BINS)]
    reliability = "; ".join(f"{said[at].mean():.2f} → {came[at].mean():.2f} ({at.sum()})" for at in bins if at.any())
    skill, held = 1 - brier / max(of_base, 1e-9), float(np.mean(followed)) if followed else 0.0
    note = f"{len(seen)} named, {base:.2f} came, {said.mean():.2f} said"
    return [
        Measurement(f"{way}: Brier score", brier, "", higher=False, note=f"said → came: {reliability}"),
        Measurement(f"{way}: skill beside the base rate", skill, "", note=note),
        Measurement(f"{way}: drawn in from P10 to P90", held, "", note=f"of {len(followed)} that came"),
    ]
