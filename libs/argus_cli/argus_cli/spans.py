"""Spans of time as a person writes them."""

import re
from datetime import timedelta

from argus_common.errors import ConfigurationError

UNITS = {"m": 60, "h": 3600, "d": 86_400}


def parse_span(text: str) -> timedelta:
    """A span such as ``24h``.

    Raises:
        ConfigurationError: it is none, or longer than ten years.

    >>> parse_span("90m")
    datetime.timedelta(seconds=5400)
    """
    found = re.fullmatch(r"(\d{1,6})([mhd])", text.strip())
    seconds = int(found[1]) * UNITS[found[2]] if found else 0
    if not 0 < seconds <= 3650 * UNITS["d"]:
        raise ConfigurationError(f"{text!r} is no span of time: write for example 30m, 24h or 7d")
    return timedelta(seconds=seconds)
