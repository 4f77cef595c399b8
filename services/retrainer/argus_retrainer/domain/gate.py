"""Whether a challenger may serve: it must be better, nowhere much worse, whole, and fast enough."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from argus_common.events import GateCheck, GateRatio, GateResult
from argus_retrainer.domain.gate_figures import CHALLENGER, CHAMPION, STATISTICAL, TargetFigures, ratios, weighted

RIGHT_COVERAGE = 0.8
"""Of a 10–90 % band."""


@dataclass(frozen=True, slots=True)
class GateRules:
    """``least_windows`` before anything is said. ``part_windows`` before a target or profile is judged by itself.
    ``worst_part``: ratio up to which one may be worse. ``coverage_off``: distance from 0.8 that is allowed in any case.
    ``worst_brier``: ratio, where there are ``least_breaches``; ``false_brier``: excess where there are fewer, the
    square of the probability of breaches that did not come. ``slowest``: seconds for 128 series.
    """

    least_windows: int = 200
    part_windows: int = 100
    worst_part: float = 1.10
    coverage_off: float = 0.10
    worst_brier: float = 1.05
    least_breaches: int = 20
    false_brier: float = 0.01
    slowest: float = 2.0


@dataclass(frozen=True, slots=True)
class Tried:
    """What was found besides forecasts: ``flaw`` of the artefact, empty = it can be trusted; ``seconds`` for 128 series
    with all targets alike; ``no_champion``: why nothing was compared with a champion, empty = it was.
    """

    flaw: str
    seconds: float
    no_champion: str


@dataclass(frozen=True, slots=True)
class HeldOut:
    """The span that nobody learned from, epoch milliseconds of its first and last origin."""

    from_ms: int
    until_ms: int


def judge(figures: Sequence[TargetFigures], tried: Tried, span: HeldOut, rules: GateRules) -> GateResult:
    """The verdict with every number that it rests on."""
    found = ratios(figures)
    coverage, brier = weighted(figures, "inside"), weighted(figures, "brier")
    windows, breaches = sum(len(one) for one in figures), sum(one.breaches for one in figures)
    checks = [
        _check("windows", windows, rules.least_windows, "windows that could be compared", at_least=True),
        *_better(found, tried),
        *_coverage(coverage, rules),
        *_brier(brier, breaches, rules),
        *_parts(found, rules),
        GateCheck(name="artefact", passed=not tried.flaw, detail=tried.flaw or "it is what its manifest says"),
        _check("latency", tried.seconds, rules.slowest, "seconds for 128 series"),
    ]
    return GateResult(
        passed=all(check.passed for check in checks),
        held_out_from_ms=span.from_ms,
        held_out_until_ms=span.until_ms,
        windows=windows,
        servers=len({int(number) for one in figures for number in one.server}),
        checks=checks,
        ratios=found,
        coverage=coverage,
        brier=brier,
        breaches=breaches,
    )


def _better(found: Sequence[GateRatio], tried: Tried) -> Iterator[GateCheck]:
    """Surely better: the whole interval lies below 1. A challenger that is as good as the champion changes nothing."""
    for against in (CHAMPION, STATISTICAL):
        name = f"better_than_{against}"
        overall = next((one for one in found if (one.against, one.about) == (against, "all")), None)
        if overall is not None:
            told = f"upper end of the loss over the {against}'s, which is {overall.ratio:.3f}"
            yield GateCheck(name=name, passed=overall.high < 1, figure=overall.high, bound=1.0, detail=told)
        elif against == CHAMPION and tried.no_champion:
            yield GateCheck(name=name, passed=True, detail=tried.no_champion)
        else:
            yield GateCheck(name=name, passed=False, detail="nothing could be compared")


def _coverage(coverage: dict[str, float], rules: GateRules) -> Iterator[GateCheck]:
    """As near to 0.8 as is asked for, or as the champion is."""
    if CHALLENGER in coverage:
        off = {name: abs(share - RIGHT_COVERAGE) for name, share in coverage.items()}
        bound = max(rules.coverage_off, off.get(CHAMPION, 0.0))
        told = f"distance of the coverage, {coverage[CHALLENGER]:.3f}, from {RIGHT_COVERAGE}"
        yield _check("coverage", off[CHALLENGER], bound, told)


def _brier(brier: dict[str, float], breaches: int, rules: GateRules) -> Iterator[GateCheck]:
    """Where limits were crossed, nearly as good as the best other; where few were, no more false alarms."""
    others = [brier[name] for name in (CHAMPION, STATISTICAL) if name in brier]
    if not others or CHALLENGER not in brier:
        yield GateCheck(name="breach_brier", passed=True, detail="not judged: no target has a limit")
    elif breaches < rules.least_breaches:
        told = f"Brier score with {breaches} breaches, bound the best other's and {rules.false_brier:g}"
        yield _check("breach_brier", brier[CHALLENGER], min(others) + rules.false_brier, told)
    else:
        told = f"Brier score, bound {rules.worst_brier:g} times the best other's"
        yield _check("breach_brier", brier[CHALLENGER], rules.worst_brier * min(others), told)


def _parts(found: Sequence[GateRatio], rules: GateRules) -> Iterator[GateCheck]:
    for about in ("target", "profile"):
        judged = [one for one in found if one.about == about and one.windows >= rules.part_windows]
        worst = max(judged, key=lambda one: one.ratio, default=None)
        if worst is None:
            yield GateCheck(name=f"no_{about}_worse", passed=True, detail="not judged: too few windows of each")
        else:
            told = f"worst: {worst.name} against the {worst.against}"
            yield _check(f"no_{about}_worse", worst.ratio, rules.worst_part, told)


def _check(name: str, figure: float, bound: float, detail: str, *, at_least: bool = False) -> GateCheck:
    passed = figure >= bound if at_least else figure <= bound
    return GateCheck(name=name, passed=passed, figure=figure, bound=bound, detail=detail)
