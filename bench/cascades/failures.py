"""Failures that spread: are they found, how soon, and is the origin right?"""

from argus_cascade.domain.topology import Topology
from argus_cli.cascades.scoring import EventScores, scored
from bench.cascades.fleets import failing
from bench.cascades.runs import cascades, changes, verdicts
from bench.cascades.standing_out import StandingOut

SERVERS, WARM_UP_DAYS, DAYS = 100, 8, 22


def failures(seed: int) -> tuple[EventScores, EventScores, StandingOut]:
    """With and without a topology, and what the evidence alone has seen."""
    trial = failing(SERVERS, seed, WARM_UP_DAYS, DAYS)
    standing_out = StandingOut(trial.incidents)
    said = standing_out.watching(verdicts(trial, seed, WARM_UP_DAYS + DAYS))
    known, unknown = changes(trial, said, trial.topology(), Topology({}))
    with_edges, without = (scored(cascades(told, WARM_UP_DAYS), trial.incidents, DAYS) for told in (known, unknown))
    return with_edges, without, standing_out
