"""What a server was like in its reference week: knots of its values, and the range of every test's mean."""

from dataclasses import dataclass

import numpy as np

from argus_drift.domain import windows
from argus_drift.domain.channels import Channels, series
from argus_drift.domain.hours import RunningHour
from argus_drift.domain.ranks import Floats, knots_of
from argus_drift.domain.rules import RULES

DAY_HOURS = 24
ENOUGH = 0.5
"""Share of the reference's hours that must be known for a server to be watched."""


@dataclass(slots=True)
class Reference:
    """``knots``: (server, target, series, knot). ``expected``: (server, target, hour of day) mean swing.

    ``low``, ``high``: (server, tested column) range of the tests' means; columns as `tested` gives them.
    """

    knots: Floats
    expected: Floats
    low: Floats
    high: Floats


def tested(channels: Channels, hours: Floats, expected: Floats) -> Floats:
    """(…, tested column) from (…, channel): all but the swing, which becomes one column, the profile: how far the swing
    is from what is expected at this hour of the day, averaged over the targets.

    Args:
        channels: which column is what.
        hours: (…, channel) means of hours.
        expected: (…, target) of the same hours of the day.
    """
    swing = channels.columns["swing"]
    off = np.abs(hours[..., swing] - expected)
    known = np.isfinite(off)
    count = known.sum(axis=-1, keepdims=True)
    profile = np.where(known, off, 0).sum(axis=-1, keepdims=True) / np.maximum(count, 1)
    profile = np.where(count > 0, profile, np.float32(np.nan)).astype(np.float32)
    return np.concatenate((hours[..., : swing.start], profile, hours[..., swing.stop :]), axis=-1)


def tested_columns(channels: Channels) -> dict[str, slice]:
    """Family of a rule → its tested columns."""
    found, shift = {}, len(channels.targets) - 1
    for name, columns in channels.columns.items():
        if name == "swing":
            found["profile"] = slice(columns.start, columns.start + 1)
        elif columns.start < channels.columns["swing"].start:
            found[name] = columns
        else:
            found[name] = slice(columns.start - shift, columns.stop - shift)
    return found


def learn(raw: Floats, channels: Channels, first_hour: int) -> tuple[Reference, Floats]:
    """The reference of whole hours of values, and their tested columns, (hour, server, tested column).

    Args:
        raw: (server, target, hour, step), NaN = missing.
        channels: which column is what.
        first_hour: number of the first hour since 1970.
    """
    knots = _knots(raw)
    running = RunningHour.empty(len(raw), channels)
    hours = np.empty((raw.shape[2], len(raw), channels.width), np.float32)
    for hour in range(raw.shape[2]):
        running.add(raw[:, :, hour], channels, knots)
        hours[hour] = running.close(raw.shape[3])
    of_day = (first_hour + np.arange(len(hours))) % DAY_HOURS
    swing = hours[..., channels.columns["swing"]]
    columns = tested(channels, hours, _expected_of_others(swing, of_day))
    low, high = _ranges(columns, channels)
    known = np.isfinite(columns[..., :1]).mean(axis=0) >= ENOUGH
    low, high = np.where(known, low, np.float32(np.nan)), np.where(known, high, np.float32(np.nan))
    return Reference(knots, _expected(swing, of_day), low, high), columns


def _knots(raw: Floats) -> Floats:
    """(server, target, series, knot) of the values, their changes, and their distances from the hour before."""
    servers, targets, _, steps = raw.shape
    flat = raw.reshape(servers, targets, -1)
    seen = np.isfinite(raw)
    count = seen.sum(axis=3)
    means = np.where(count > 0, np.where(seen, raw, 0).sum(axis=3) / np.maximum(count, 1), np.nan).astype(np.float32)
    unknown = np.full((servers, targets), np.nan, np.float32)
    three = series(flat, unknown, unknown)
    three[:, :, 2, steps:] = np.abs(flat[:, :, steps:] - np.repeat(means[:, :, :-1], steps, axis=2))
    return knots_of(three)


def _expected(swing: Floats, of_day: np.ndarray) -> Floats:  # type: ignore[type-arg]
    """(server, target, hour of day) mean over the days."""
    found = np.full((*swing.shape[1:], DAY_HOURS), np.nan, np.float32)
    for hour in range(DAY_HOURS):
        found[..., hour] = _mean(swing[of_day == hour])
    return found


def _expected_of_others(swing: Floats, of_day: np.ndarray) -> Floats:  # type: ignore[type-arg]
    """(hour, server, target) mean over the other days: an hour must not be expected because it happened."""
    found = np.empty_like(swing)
    for hour in range(len(swing)):
        others = of_day == of_day[hour]
        others[hour] = False
        found[hour] = _mean(swing[others])
    return found


def _mean(values: Floats) -> Floats:
    known = np.isfinite(values)
    count = known.sum(axis=0)
    total = np.where(known, values, 0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)


def _ranges(columns: Floats, channels: Channels) -> tuple[Floats, Floats]:
    """(server, tested column) least and largest mean over the rule's window, wherever it lies in the reference."""
    low = np.full(columns.shape[1:], np.nan, np.float32)
    high = low.copy()
    at = tested_columns(channels)
    for rule in RULES:
        part = columns[..., at[rule.family]]
        for end in range(rule.hours, len(part) + 1):
            means = windows.mean(part[end - rule.hours : end])
            low[:, at[rule.family]] = np.fmin(low[:, at[rule.family]], means)
            high[:, at[rule.family]] = np.fmax(high[:, at[rule.family]], means)
    low[:, at["profile"]] *= 0  # a mismatch is never too small; NaN stays
    return low, high
