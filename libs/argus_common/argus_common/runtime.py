"""Runs a service until SIGTERM or SIGINT: clean stop with code 0, any failure with a message and a non-zero code."""

import asyncio
import gc
import logging
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from argus_common.errors import ArgusError, ConfigurationError

EXIT_CONFIGURATION = 2
EXIT_FAILED = 1
GC_THRESHOLDS = 50_000, 20, 100
PATIENCE_SECONDS = 20.0
"""Less than the 30 s after which Kubernetes kills a pod that was told to stop."""

Main = Callable[[asyncio.Event], Awaitable[None]]

_log = logging.getLogger("argus.runtime")


async def run_until_signal(main: Main) -> None:
    """Await ``main(stop)``; ``stop`` is set at the first SIGTERM or SIGINT, and main then winds down by itself."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        await _wound_down(asyncio.ensure_future(main(stop)), stop)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


async def _wound_down(running: "asyncio.Future[Any]", stop: asyncio.Event) -> None:
    """Until ``running`` ends, by itself or cancelled a while after ``stop``: what it did not acknowledge is repeated by
    whoever runs next, which is better than to be killed by a supervisor that has lost its patience.
    """
    told: asyncio.Future[Any] = asyncio.ensure_future(stop.wait())
    try:
        await asyncio.wait({running, told}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({running}, timeout=PATIENCE_SECONDS)
    finally:
        told.cancel()
        if not running.done():
            _log.warning("did not wind down in time: leaving the rest to the next start")
            running.cancel()
            await asyncio.wait({running})
    if not running.cancelled():
        running.result()


def run(main: Main) -> int:
    """The exit code of a whole service run. Errors of the tree are told in one line, bugs with their traceback."""
    _collect_garbage_seldom()
    try:
        asyncio.run(run_until_signal(main))
    except Exception as error:  # noqa: BLE001 - the last line of defence: tell it, exit non-zero
        return _told(_only(error))
    return 0


def _collect_garbage_seldom() -> None:
    """Services make and drop thousands of short-lived objects per batch, and no cycles to speak of: with the usual
    thresholds the collector walks them all several times (measured: a quarter of ingest's time).
    """
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)


def _only(error: Exception) -> Exception:
    """What a task group wrapped, where a single task failed."""
    while isinstance(error, ExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error


def _told(error: Exception) -> int:
    if isinstance(error, ConfigurationError):
        print(f"configuration: {error}", file=sys.stderr)  # noqa: T201 - may come before logging is set up
        return EXIT_CONFIGURATION
    if isinstance(error, ArgusError):
        _log.critical("stopped", extra={"error": str(error), "kind": type(error).__name__})
    else:
        _log.critical("stopped by a bug", exc_info=error)
    return EXIT_FAILED
