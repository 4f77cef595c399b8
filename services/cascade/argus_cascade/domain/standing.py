"""The cascades that are open, and those that ended a moment ago: what was told of each last."""

from collections.abc import Iterable
from dataclasses import dataclass

from argus_common.events import CascadeEvent, CascadeResolved
from argus_common.levels import Level

SHOWN_AFTER_MS = 300_000
"""One that ended is remembered for five minutes, so that whoever is told by state is told of the end repeatedly."""


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of a cascade.

    ``event``: the last that was told. ``critical``: it has been critical. ``ended_ms``: since when nobody needs to
    care, wall clock, None = somebody does, 0 = nobody ever did. ``resolved``: it is over.
    """

    event: CascadeEvent
    critical: bool
    ended_ms: int | None = None
    resolved: bool = False


def follow(standing: dict[str, Standing], event: CascadeEvent, now_ms: int) -> None:
    """Take an event in; a cascade whose members are worked on is not cared for."""
    before = standing.get(event.cascade)
    resolved = isinstance(event, CascadeResolved)
    if before is None and (resolved or event.silenced):
        ended: int | None = 0
    elif resolved or event.silenced:
        ended = now_ms if before is None or before.ended_ms is None else before.ended_ms
    else:
        ended = None
    critical = event.severity == Level.CRITICAL or (before is not None and before.critical)
    standing[event.cascade] = Standing(event, critical, ended, resolved)


def tidy(standing: dict[str, Standing], now_ms: int) -> None:
    """Forget those that are over and were shown for long enough."""
    for cascade in [k for k, one in standing.items() if one.resolved and now_ms - (one.ended_ms or 0) > SHOWN_AFTER_MS]:
        del standing[cascade]


def shown(standing: Iterable[Standing], now_ms: int) -> list[Standing]:
    """Those that somebody should care for, and those that nobody needs to any more since a moment ago."""
    return [one for one in standing if one.ended_ms is None or now_ms - one.ended_ms <= SHOWN_AFTER_MS]
