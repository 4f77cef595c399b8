"""Bands that keep their word: each quantile is moved until the values that came fall below it as often as it says.

An offset per series, lead and level follows the quantile: a value below it moves it down a little, one above it up,
in the proportion that leaves it in place when it is right. A forecast of a long lead is judged with the present offset,
not with the one that it was made with, so that the long way of its truth can't set the offset swinging.

References:
    I. Gibbs, E. Candès, "Adaptive Conformal Inference Under Distribution Shift", 2021; A. N. Angelopoulos, E. Candès,
    R. J. Tibshirani, "Conformal PID Control for Time Series Prediction", 2023 (their quantile tracking). Here each
    level is tracked apart, in units of the band, and drawn towards the mean of its fleet (partial pooling).
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from argus_forecasting.forecaster import Bands, Floats

RATE = 0.01
"""Of the band's width that a quantile moves at most for one value. Halving or doubling it changes losses by 1 %."""
SLOWER_FROM = 30
"""Leads beyond it learn more slowly, in proportion: their values overlap, so that many tell the same thing."""
DRAW = 0.005
"""Share of the distance to the fleet's offsets that is given up with each value: 140 values for half of it."""
LARGEST = 1.5
"""Widths of the band that a quantile is moved at most."""
WIDTH_RATE = 0.01
"""Weight of the newest width in the usual one."""
BAND = (0.1, 0.9)


def scored(quantiles: Floats, leads: tuple[int, ...]) -> Floats:
    """(series, scored lead, level) of (series, lead, level) quantiles; NaN for leads beyond the horizon."""
    horizon = quantiles.shape[1]
    picked: Floats = quantiles[:, [min(lead, horizon) - 1 for lead in leads]]
    picked[:, [lead > horizon for lead in leads]] = np.nan
    return picked


def width(quantiles: Floats, levels: tuple[float, ...]) -> Floats:
    """(…) width of the 10–90 % band of (…, level) quantiles."""
    wide: Floats = quantiles[..., levels.index(BAND[1])] - quantiles[..., levels.index(BAND[0])]
    return wide


def moved(quantiles: Floats, levels: tuple[float, ...], offset: Floats, ratio: Floats) -> Floats:
    """(…, level) quantiles moved by ``offset`` (…, level) bands, not sorted yet.

    A band is the geometric mean of this forecast's width and the usual one, ``ratio`` (…) = usual / own: neither a
    forecast that happens to be wide nor one that happens to be narrow is moved out of proportion. Where all quantiles
    coincide nothing moves.
    """
    scale = width(quantiles, levels) * np.sqrt(ratio)
    out: Floats = quantiles + offset * scale[..., None]
    return out


def ratio_of(usual: Floats, own: Floats) -> Floats:
    """(…) usual width over own, 1 where either is unknown or zero."""
    known = (usual > 0) & (own > 0)
    ratio: Floats = np.where(known, usual / np.where(known, own, 1), 1).astype(np.float32)
    return ratio


def at_scored_leads(raw: Floats, levels: tuple[float, ...], bands: Bands) -> Floats:
    """(series, scored lead, level) quantiles of forecasts at the scored leads, moved, not sorted."""
    return moved(raw, levels, bands.offset, ratio_of(bands.usual, width(raw, levels)))


def corrected(quantiles: Floats, levels: tuple[float, ...], bands: Bands, lower: Floats, upper: Floats) -> Floats:
    """(series, lead, level) quantiles with what was learned, rising, within the legal range.

    Between scored leads offsets go with the logarithm of the lead.

    Args:
        quantiles: (series, lead, level) from lead 1 on.
        levels: of ``quantiles``.
        bands: what was learned.
        lower: (series,) least legal value.
        upper: (series,) greatest legal value.
    """
    horizon = quantiles.shape[1]
    leads = [lead for lead in bands.leads if lead <= horizon]
    if not leads or not len(quantiles):
        return quantiles
    weights, known = _weights(leads, horizon), slice(0, len(leads))
    own = width(quantiles[:, [lead - 1 for lead in leads]], levels)
    ratio = np.exp(np.log(ratio_of(bands.usual[:, known], own)) @ weights.T)
    offset = np.einsum("sjl,hj->shl", bands.offset[:, known], weights)
    out = moved(quantiles, levels, offset, ratio)
    out.sort(axis=2)
    np.clip(out, lower[:, None, None], upper[:, None, None], out=out)
    return out


def learned(before: Bands, raw: Floats, levels: tuple[float, ...], truth: Floats, fleet: Floats) -> Bands:
    """What is known after ``truth`` (series,) has come; a series without a value or a forecast learns nothing.

    Args:
        before: what was known until then.
        raw: (series, scored lead, level) what was forecast for this step, before any correction; NaN = nothing.
        levels: of ``raw``.
        truth: (series,) what came, NaN = nothing.
        fleet: (series, scored lead, level) offsets that series are drawn to.
    """
    value = truth[:, None, None]
    judged = at_scored_leads(raw, levels, before)
    usable = np.isfinite(value) & np.isfinite(raw).all(axis=2, keepdims=True)
    usable &= raw[:, :, -1:] > raw[:, :, :1]  # a forecast without a doubt has no band to be moved in
    push = np.where(value == judged, 0, np.asarray(levels) - (value < judged))
    step = _rates(before.leads)[:, None] * push - DRAW * (before.offset - fleet)
    offset = np.clip(np.where(usable, before.offset + step, before.offset), -LARGEST, LARGEST)
    own = width(raw, levels)
    usual = np.where(np.isnan(before.usual), own, before.usual + WIDTH_RATE * (own - before.usual))
    usual = np.where(usable[..., 0], usual, before.usual)
    return replace(before, offset=offset.astype(np.float32), usual=usual.astype(np.float32))


def _rates(leads: tuple[int, ...]) -> npt.NDArray[np.float64]:
    return RATE / np.maximum(1, np.asarray(leads) / SLOWER_FROM)


def _weights(leads: list[int], horizon: int) -> Floats:
    """(lead, scored lead) shares of the scored leads in each lead."""
    at, scored = np.log(np.arange(1, horizon + 1)), np.log(leads)
    return np.stack([np.interp(at, scored, row) for row in np.eye(len(leads))], axis=1).astype(np.float32)
