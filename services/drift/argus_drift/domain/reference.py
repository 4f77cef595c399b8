"""What a server was like in its reference week: knots of its values, and the range of every test's mean."""

from dataclasses import dataclass

import numpy as np

from argus_drift.domain import windows
from argus_drift.domain.channels import Channels, Ints, columns_of, series
from argus_drift.domain.hours import RunningHour
from argus_drift.domain.ranks import Floats, knots_of
from argus_drift.domain.rules import RULES

DAY_HOURS = 24
ENOUGH = 0.5
"""Share of the reference's hours that must be known for a server to be watched."""


@dataclass(slots=True)
class Reference:
    """``knots``: (server, target, series, knot). ``swing``, ``level``: (server, target, hour of day) usual ranks,
    ``value``: the usual value, in the target's unit.

    ``low``, ``high``: (server, tested column) range of the tests' means; columns as `tested` gives them.
    """

    knots: Floats
    swing: Floats
    level: Floats
    value: Floats
    low: Floats
    high: Floats


def tested(channels: Channels, hours: Floats, level: Floats, swing: Floats) -> Floats:
    """(…, tested column) from (…, channel): the levels become their difference from what is usual at the hour of the
    day, and the swings make room for two columns: how far levels (rhythm) and swings (swing) are from what is usual,
    averaged over the targets.

    Args:
        channels: which column is what.
        hours: (…, channel) means of hours.
        level: (…, target) usual level at the same hours of the day.
        swing: (…, target) usual swing at the same hours of the day.
    """
    of_level, of_swing = channels.columns["level"], channels.columns["swing"]
    off = hours[..., of_level] - level
    rhythm, unrest = _size(off), _size(hours[..., of_swing] - swing)
    before, after = hours[..., of_level.stop : of_swing.start], hours[..., of_swing.stop :]
    return np.concatenate((off, before, rhythm, unrest, after), axis=-1)


def _size(off: Floats) -> Floats:
    """(…, 1) mean over the targets of what is known."""
    known = np.isfinite(off)
    count = known.sum(axis=-1, keepdims=True)
    total = np.where(known, np.abs(off), 0).sum(axis=-1, keepdims=True)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)


def tested_columns(channels: Channels) -> dict[str, slice]:
    """Family of a rule → its tested columns."""
    single, pair = len(channels.targets), len(channels.first)
    sizes = {"level": single, "spread": single, "movement": single, "rhythm": 1, "swing": 1,
             "gap": pair, "distance": pair, "pace": pair}  # fmt: skip
    return columns_of(sizes)


def learn(raw: Floats, channels: Channels, first_hour: int) -> tuple[Reference, Floats, Floats]:
    """The reference of whole hours of values; their tested columns, (hour, server, tested column), and their mean
    values, (hour, server, target).

    Args:
        raw: (server, target, hour, step), NaN = missing.
        channels: which column is what.
        first_hour: number of the first hour since 1970.
    """
    values = _hour_means(raw)
    knots = _knots(raw, values)
    running = RunningHour.empty(len(raw), channels)
    hours = np.empty((raw.shape[2], len(raw), channels.width), np.float32)
    for hour in range(raw.shape[2]):
        running.add(raw[:, :, hour], channels, knots)
        hours[hour] = running.close(raw.shape[3])
    of_day = (first_hour + np.arange(len(hours))) % DAY_HOURS
    level, swing = (hours[..., channels.columns[name]] for name in ("level", "swing"))
    columns = tested(channels, hours, _usual_of_others(level, of_day), _usual_of_others(swing, of_day))
    low, high = _ranges(columns, channels)
    known = np.isfinite(columns[..., :1]).mean(axis=0) >= ENOUGH
    low, high = np.where(known, low, np.float32(np.nan)), np.where(known, high, np.float32(np.nan))
    usual_swing, usual_level, usual_value = (_usual(part, of_day) for part in (swing, level, values))
    return Reference(knots, usual_swing, usual_level, usual_value, low, high), columns, values


def _hour_means(raw: Floats) -> Floats:
    """(hour, server, target) mean values, NaN where nothing was observed."""
    return np.moveaxis(_mean(np.moveaxis(raw, 3, 0)), 2, 0)


def _knots(raw: Floats, hour_means: Floats) -> Floats:
    """(server, target, series, knot) of the values, their changes, and their distances from the hour before."""
    servers, targets, _, steps = raw.shape
    flat = raw.reshape(servers, targets, -1)
    unknown = np.full((servers, targets), np.nan, np.float32)
    three = series(flat, unknown, unknown)
    hour_before = np.repeat(np.moveaxis(hour_means[:-1], 0, 2), steps, axis=2)
    three[:, :, 2, steps:] = np.abs(flat[:, :, steps:] - hour_before)
    return knots_of(three)


def _usual(hours: Floats, of_day: Ints) -> Floats:
    """(server, target, hour of day) mean over the days."""
    found = np.full((*hours.shape[1:], DAY_HOURS), np.nan, np.float32)
    for hour in range(DAY_HOURS):
        found[..., hour] = _mean(hours[of_day == hour])
    return found


def _usual_of_others(swing: Floats, of_day: Ints) -> Floats:
    """(hour, server, target) mean over the other days: an hour must not be usual because it happened."""
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
        means = windows.means_within(columns[..., at[rule.family]], rule.hours)
        low[:, at[rule.family]] = np.fmin.reduce(means, axis=0)
        high[:, at[rule.family]] = np.fmax.reduce(means, axis=0)
    for family in ("rhythm", "swing"):
        low[:, at[family]] *= 0  # what is usual can't be too usual; NaN stays
    return low, high
