"""What a dashboard asks Prometheus, filled in as Grafana does, and the answers."""

import json
import math
import re
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SHOWN_POINTS = 240
"""Points of a line; more can't be told apart in a picture."""


@dataclass(frozen=True, slots=True)
class Series:
    """What one series was. ``points``: (seconds since the epoch, value), in order."""

    labels: Mapping[str, str]
    points: tuple[tuple[float, float], ...]

    @property
    def last(self) -> float:
        """The newest value that is one; NaN without any."""
        return next((value for _, value in reversed(self.points) if not math.isnan(value)), math.nan)


@dataclass(frozen=True, slots=True)
class Span:
    """The time that is shown: ``[begin, end]``, seconds since the epoch."""

    begin: float
    end: float

    @property
    def step(self) -> float:
        """Seconds between two points."""
        return max((self.end - self.begin) / SHOWN_POINTS, 1.0)


def filled_in(text: str, values: Mapping[str, str]) -> str:
    """``text`` with its variables in their places; one without a value stays.

    >>> filled_in('rate(a{f=~"$fleet"}[$__range])', {"fleet": ".*", "__range": "300s"})
    'rate(a{f=~".*"}[300s])'
    """
    return re.sub(r"\$\{?(\w+)\}?", lambda found: values.get(found[1], found[0]), text)


def legend(form: str, labels: Mapping[str, str], otherwise: str) -> str:
    """The name of a series by the panel's format.

    >>> legend("{{fleet}} {{target}}", {"fleet": "a", "target": "cpu"}, "")
    'a cpu'
    """
    if form == "__auto":
        return " ".join(labels.values()) or otherwise
    return re.sub(r"\{\{(\w+)\}\}", lambda found: labels.get(found[1], ""), form)


class Prometheus:
    """Answers expressions over one span of time."""

    def __init__(self, url: str, span: Span) -> None:
        self._url, self.span = url, span

    def over_time(self, expression: str) -> list[Series]:
        """The series of an expression over the span."""
        span = self.span
        asked = {"start": str(span.begin), "end": str(span.end), "step": str(span.step)}
        found = self._ask("query_range", expression, asked)
        return [Series(one["metric"], _points(one["values"])) for one in found]

    def now(self, expression: str) -> list[Series]:
        """The series of an expression at the end of the span, a point each."""
        found = self._ask("query", expression, {"time": str(self.span.end)})
        return [Series(one["metric"], _points([one["value"]])) for one in found]

    def _ask(self, path: str, expression: str, asked: Mapping[str, str]) -> list[dict[str, Any]]:
        body = urllib.parse.urlencode({"query": expression, **asked}).encode()
        with urllib.request.urlopen(f"{self._url}/api/v1/{path}", body, timeout=60) as answer:  # noqa: S310 - http
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return found


def _points(values: list[list[Any]]) -> tuple[tuple[float, float], ...]:
    return tuple((float(time), float(value)) for time, value in values)
