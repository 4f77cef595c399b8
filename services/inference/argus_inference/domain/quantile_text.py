"""Quantiles to JSON text by looking numbers up: a million of them cost a tenth of what formatting each one does."""

from functools import cache

import msgspec
import numpy as np
import numpy.typing as npt

from argus_common.rounding import round_alike

SIGNIFICANT_DIGITS = 4
_LARGEST = 10**SIGNIFICANT_DIGITS
_MOST_DECIMALS = 4
"""With its sign, its point and what follows it, a number then has at most eight characters: one machine word."""
_SEPARATORS = np.frombuffer(b"      [[      ,[", np.uint64)
"""Before the first lead, and between leads."""

Doubles = npt.NDArray[np.float64]
Words = npt.NDArray[np.uint64]

_encode = msgspec.json.Encoder().encode


def quantile_texts(quantiles: Doubles) -> list[bytes]:
    """One JSON array of arrays per series, every series rounded so that its largest number has four digits.

    Args:
        quantiles: (series, lead, level), finite.

    >>> quantile_texts(np.array([[[1.23456, -0.5], [40.0, 99.999]]]))
    [b'[[1.23,-0.50],[40.00,100.00]]']
    """
    rounded = round_alike(quantiles, SIGNIFICANT_DIGITS)
    largest = np.abs(quantiles).reshape(len(quantiles), -1).max(axis=1, initial=0.0)
    decimals = SIGNIFICANT_DIGITS - 1 - np.floor(np.log10(np.where(largest > 0, largest, 1.0))).astype(int)
    texts: list[bytes] = [b""] * len(quantiles)
    for count in set(decimals.tolist()):
        rows = np.flatnonzero(decimals == count)
        looked_up = 0 <= count <= _MOST_DECIMALS
        found = _looked_up(rounded[rows], count) if looked_up else [_encode(rounded[row].tolist()) for row in rows]
        for row, text in zip(rows.tolist(), found, strict=True):
            texts[row] = text
    return texts


def _looked_up(rounded: Doubles, decimals: int) -> list[bytes]:
    """Words of numbers with this many decimals, a separator before each lead; then the blanks are taken out."""
    series, leads, levels = rounded.shape
    keys = np.rint(rounded * 10**decimals).astype(np.int64) + _LARGEST
    words = np.empty((series, leads, levels + 1), np.uint64)
    words[:, :, 0] = _SEPARATORS[1]
    words[:, 0, 0] = _SEPARATORS[0]
    words[:, :, 1:-1] = _words(decimals, ",")[keys[:, :, :-1]]
    words[:, :, -1] = _words(decimals, "]")[keys[:, :, -1]]
    return [row.tobytes().translate(None, b" ") + b"]" for row in words]


@cache
def _words(decimals: int, end: str) -> Words:
    """Eight characters for each number from −10,000 to 10,000, in units of the last decimal."""
    numbers = range(-_LARGEST, _LARGEST + 1)
    return np.frombuffer("".join(f"{n / 10**decimals:7.{decimals}f}{end}" for n in numbers).encode(), np.uint64)
