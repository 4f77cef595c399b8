"""What is found of single servers: that their behaviour is another for good, or their forecasts are worse for good."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from argus_common.events.drift import DriftKind
from argus_drift.domain.alarm import Alarm
from argus_drift.domain.fleet.staleness import RECENT_HOURS, Staleness
from argus_drift.domain.ranks import Floats

ERROR, ERROR_OVER = 1.5, 1.2
"""PER from which on forecasts are worse, and below which they are as before."""
COVERAGE, COVERAGE_OVER = 0.6, 0.7
"""Coverage of the 80 % band below which forecasts are too sure of themselves, and above which they no longer are."""


@dataclass(frozen=True, slots=True)
class Finding:
    """``since``: step with which it began. ``excess``: in thresholds, 1 = just beyond."""

    server: str
    profile: str
    kind: DriftKind
    target: str
    since: int
    excess: float


def of_alarms(alarms: Iterable[Alarm], servers: Sequence[str], profiles: Sequence[str]) -> list[Finding]:
    """What the tests of behaviour have found."""
    return [
        Finding(servers[a.server], profiles[a.server], a.kind, a.metric, a.since, a.value / a.threshold) for a in alarms
    ]


def of_forecasts(
    staleness: Staleness, servers: Sequence[str], profiles: Sequence[str], targets: Sequence[str], step: int, hour: int
) -> list[Finding]:
    """Servers whose loss has risen, else those whose bands have become too narrow, whichever hours are forgiven.

    Args:
        staleness: of all servers.
        servers: names.
        profiles: theirs.
        targets: names.
        step: the last.
        hour: steps of an hour.
    """
    since = max(0, step + 1 - RECENT_HOURS * hour)
    risen = np.nan_to_num(over_leads(staleness.lasting_error_rate(ERROR)), nan=0.0) / ERROR
    missed = (1 - np.nan_to_num(over_leads(staleness.lasting_coverage(COVERAGE)), nan=1.0)) / (1 - COVERAGE)
    found = list[Finding]()
    kinds: tuple[DriftKind, DriftKind] = ("error", "calibration")
    for kind, excess in zip(kinds, (risen, missed), strict=True):
        taken = {one.server for one in found}
        for i in np.flatnonzero(excess.max(axis=1) > 1).tolist():
            if servers[i] not in taken:
                t = int(excess[i].argmax())
                found.append(Finding(servers[i], profiles[i], kind, targets[t], since, float(excess[i, t])))
    return found


def over(staleness: Staleness, row: int) -> bool:
    """Whether the forecasts of a server are as they were: below both thresholds with a margin."""
    rate = np.nan_to_num(over_leads(staleness.lasting_error_rate_of(row)), nan=0.0).max()
    coverage = np.nan_to_num(over_leads(staleness.lasting_coverage_of(row)), nan=1.0).min()
    return bool(rate < ERROR_OVER and coverage > COVERAGE_OVER)


def over_leads(measure: Floats) -> Floats:
    """(…,) the mean over (…, lead) of those that are known: a drift that lasts is seen at all of them, and the steps of
    one bad night are far fewer pieces of evidence than they are steps, above all at the longest lead.
    """
    known = np.isfinite(measure)
    count = known.sum(axis=-1)
    total = np.where(known, measure, 0).sum(axis=-1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)
