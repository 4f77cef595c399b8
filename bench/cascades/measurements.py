"""What is measured, beside what must be reached."""

from collections.abc import Sequence
from statistics import median

from argus_cli.cascades.scoring import EventScores
from bench.cascades import followers, healthy
from bench.cascades.failures import DAYS, SERVERS, WARM_UP_DAYS, failures
from bench.cascades.fleets import failing
from bench.cascades.runs import verdicts
from bench.cascades.speed import milliseconds
from bench.cascades.standing_out import StandingOut
from bench.report import Measurement

SIZES = {1_000: (20.0, 10.0), 10_000: (200.0, 100.0)}
"""Servers → milliseconds: must, good."""


def of_healthy_fleets(seeds: Sequence[int]) -> list[Measurement]:
    """False cascades, scaled to 300 days."""
    counts = [healthy.false_cascades(seed) for seed in seeds]
    days = healthy.DAYS * len(seeds)
    note = f"{days} days of {healthy.SERVERS} servers, {len(seeds)} seeds"
    return [
        Measurement(f"false cascades, {how}", float(sum(count)), "", days / 300, 0.0, higher=False, note=note)
        for how, count in zip(("topology", "no topology"), zip(*counts, strict=True), strict=True)
    ]


def of_failures(seeds: Sequence[int]) -> list[Measurement]:
    """Failures that spread, with a topology and without."""
    runs = [failures(seed) for seed in seeds]
    with_edges, without, seen = zip(*runs, strict=True)
    return [
        *_found(with_edges, "topology", (0.9, 0.97)),
        *_found(without, "no topology", (0.7, 0.85)),
        *(_standing_out(seen, members) for members in (2, 3)),
    ]


def of_followers(seeds: Sequence[int]) -> list[Measurement]:
    """Followers that were named, and failures found, by what is known of the dependencies."""
    by_seed = []
    for seed in seeds:
        trial = failing(SERVERS, seed, WARM_UP_DAYS, DAYS)
        by_seed.append(followers.runs(trial, verdicts(trial, seed, WARM_UP_DAYS + DAYS), WARM_UP_DAYS, DAYS))
    return followers.measured(by_seed)


def of_ticks() -> list[Measurement]:
    """CPU time of one tick."""
    return [
        Measurement(f"one tick, {servers:,} servers", spent, "ms", *bounds, higher=False, note=f"{opened} cascades")
        for servers, bounds in SIZES.items()
        for spent, opened in [milliseconds(servers)]
    ]


def _standing_out(seen: Sequence[StandingOut], members: int) -> Measurement:
    """The part of the delays that the evidence has."""
    delays = sorted(delay for one in seen for delay in one.delays(members))
    within = sum(delay <= 2 for delay in delays) / len(delays)
    note = f"{within:.0%} within 2, 90 % within {delays[int(0.9 * len(delays))]:.0f}"
    what = f"median delay until {members} members stand out"
    return Measurement(what, float(median(delays)), "steps", higher=False, note=note)


def _found(runs: Sequence[EventScores], how: str, top: tuple[float, float]) -> list[Measurement]:
    incidents, found = sum(run.incidents for run in runs), sum(run.found for run in runs)
    told, right = sum(run.told for run in runs), sum(run.right for run in runs)
    delays = sorted(delay for run in runs for delay in run.delays)
    late = delays[int(0.9 * len(delays))] if delays else 0
    first, opening = (
        sum(getattr(run, name)[0] * run.found for run in runs) / max(found, 1) for name in ("top", "top_at_opening")
    )
    note = f"{incidents} failures"
    return [
        Measurement(f"found, {how}", found / incidents, "", 0.95, 0.99, note=note),
        Measurement(f"told and right, {how}", right / max(told, 1), "", note=f"{told} told"),
        Measurement(
            f"median delay after the second, {how}", median(delays) if delays else 0.0, "steps", 2, 1, higher=False,
            note=f"90 % within {late}",
        ),
        Measurement(f"origin first, {how}", first, "", *top, note=f"at the opening {opening:.2f}"),
    ]  # fmt: skip
