"""Failures that spread: are they found, how soon, and is the origin right?"""

from argus_cascade.domain.topology import Topology
from argus_cli.cascades.scoring import EventScores, scored
from bench.cascades.fleets import failing
from bench.cascades.runs import cascades, changes, verdicts

SERVERS, WARM_UP_DAYS, DAYS = 100, 8, 22


def failures(seed: int) -> tuple[EventScores, EventScores]:
    """With and without a topology."""
    trial = failing(SERVERS, seed, WARM_UP_DAYS, DAYS)
    said = verdicts(trial, seed, WARM_UP_DAYS + DAYS)
    known, unknown = changes(trial, said, trial.topology(), Topology({}))
    with_edges, without = (scored(cascades(told, WARM_UP_DAYS), trial.incidents, DAYS) for told in (known, unknown))
    return with_edges, without
