"""Runs a service until SIGTERM or SIGINT: clean stop with code 0, any failure with a message and a non-zero code."""

import asyncio
import logging
import signal
import sys
from collections.abc import Awaitable, Callable

from argus_common.errors import ArgusError, ConfigurationError

EXIT_CONFIGURATION = 2
EXIT_FAILED = 1

Main = Callable[[asyncio.Event], Awaitable[None]]

_log = logging.getLogger("argus.runtime")


async def run_until_signal(main: Main) -> None:
    """Await ``main(stop)``; ``stop`` is set at the first SIGTERM or SIGINT, and main then winds down by itself."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    try:
        await main(stop)
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)


def run(main: Main) -> int:
    """The exit code of a whole service run. Errors of the tree are told in one line, bugs with their traceback."""
    try:
        asyncio.run(run_until_signal(main))
    except ConfigurationError as error:
        print(f"configuration: {error}", file=sys.stderr)  # noqa: T201 - may come before logging is set up
        return EXIT_CONFIGURATION
    except ArgusError as error:
        _log.critical("stopped", extra={"error": str(error), "kind": type(error).__name__})
        return EXIT_FAILED
    except Exception:  # noqa: BLE001 - the last line of defence: log it, exit non-zero
        _log.critical("stopped by a bug", exc_info=True)
        return EXIT_FAILED
    return 0
