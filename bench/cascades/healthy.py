"""Healthy fleets with shared rhythm, weekends, deployments, batch jobs and reboots: every cascade told is false."""

from argus_cascade.domain.topology import Topology
from bench.cascades.fleets import healthy
from bench.cascades.runs import cascades, changes, verdicts

SERVERS, WARM_UP_DAYS, DAYS = 300, 8, 30


def false_cascades(seed: int) -> tuple[int, int]:
    """With and without a topology, in `DAYS` days after a history of `WARM_UP_DAYS`."""
    trial = healthy(SERVERS, seed)
    said = verdicts(trial, seed, WARM_UP_DAYS + DAYS)
    known, unknown = changes(trial, said, trial.topology(), Topology({}))
    return len(cascades(known, WARM_UP_DAYS)), len(cascades(unknown, WARM_UP_DAYS))
