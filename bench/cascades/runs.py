"""The detector over a simulated trace, by the light residuals of ``argus cascades replay``."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from argus_cascade.domain.detector import CascadeDetector, DetectorSettings
from argus_cascade.domain.evidence import Evidence
from argus_cascade.domain.life.change import Changed, Opened, Resolved
from argus_cascade.domain.residuals import Residuals
from argus_cascade.domain.topology import Topology
from argus_cascade.domain.verdict import Verdict
from argus_cli.cascades.scoring import ToldCascade
from bench.cascades.fleets import FIRST_STEP, HARM, NAMES, PER_DAY, STEP_SECONDS, Trial, values


def verdicts(trial: Trial, seed: int, days: int) -> Iterator[Verdict]:
    """One per step."""
    names = np.array(trial.fleet.names)
    evidence = Evidence("default", NAMES, HARM)
    residuals = Residuals(len(names), len(NAMES), STEP_SECONDS)
    everybody = tuple(names.tolist())
    for step, found in enumerate(values(trial, seed, days)):
        present = ~np.isnan(found).all(axis=1)
        heard = everybody if present.all() else tuple(names[present].tolist())
        yield evidence.observe(FIRST_STEP + step, heard, residuals.observe(FIRST_STEP + step, found)[present])


def changes(trial: Trial, said: Iterable[Verdict], *topologies: Topology) -> list[list[Changed]]:
    """What is told of the same verdicts with each topology."""
    detectors = [CascadeDetector(DetectorSettings(), topology) for topology in topologies]
    return told(said, detectors, trial.profiles())


def told(
    said: Iterable[Verdict], detectors: Sequence[CascadeDetector], profiles: Mapping[str, str]
) -> list[list[Changed]]:
    """What each of the detectors tells of the same verdicts."""
    found: list[list[Changed]] = [[] for _ in detectors]
    for verdict in said:
        for i, detector in enumerate(detectors):
            found[i] += detector.observe(verdict, STEP_SECONDS, profiles=profiles).changes
    return found


def cascades(told_of: list[Changed], from_day: int) -> list[ToldCascade]:
    """The cascades opened from that day on."""
    found: dict[str, ToldCascade] = {}
    for change in told_of:
        origins = tuple(origin.server for origin in change.origins)
        members = frozenset(member.server for member in change.members)
        if isinstance(change, Opened):
            found[change.cascade] = ToldCascade(change.step, None, members, members, origins, origins)
            continue
        last = found[change.cascade]
        end = change.step if isinstance(change, Resolved) else last.end
        found[change.cascade] = replace(last, end=end, all_members=members, last_origins=origins)
    return [one for one in found.values() if one.opened >= FIRST_STEP + from_day * PER_DAY]
