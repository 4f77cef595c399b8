"""Events of a topic as they come: as a view that is drawn anew, or as lines for scripts."""

import json
from collections.abc import AsyncIterator, Callable
from contextlib import nullcontext

from rich.console import Console, RenderableType
from rich.live import Live

from argus_cli.event_reader import E, Heard


async def tell_view(
    heard: AsyncIterator[Heard[E]],
    add: Callable[[E], bool],
    render: Callable[[], RenderableType],
    console: Console,
    *,
    follow_on: bool,
) -> None:
    """Draw what is known whenever nothing is missing; once, or until Ctrl-C. ``add``: whether an event was new."""
    live = Live(console=console, auto_refresh=False)
    with live if follow_on else nullcontext():
        async for some in heard:
            for event in some.events:
                add(event)
            if some.caught_up and follow_on:
                live.update(render(), refresh=True)
            elif some.caught_up:
                console.print(render())
                return


async def tell_lines(heard: AsyncIterator[Heard[E]], add: Callable[[E], bool], *, follow_on: bool) -> None:
    """Print each new event as a JSON object."""
    async for some in heard:
        for event in filter(add, some.events):
            line = {"type": event.type, "id": event.id(), **event.model_dump(mode="json")}
            print(json.dumps(line, ensure_ascii=False), flush=True)  # noqa: T201 - lines for a pipe, never wrapped
        if some.caught_up and not follow_on:
            return
