"""Structured logs: one JSON object per line on stdout, a constant message plus fields, no payloads, no secrets."""

import json
import logging
import math
import sys
from collections import Counter
from collections.abc import Iterable
from typing import TextIO

from argus_common.clock import Clock, SystemClock

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class JsonFormatter(logging.Formatter):
    """Renders time, level, logger, message and every field passed by ``extra=``."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self._service = service

    def format(self, record: logging.LogRecord) -> str:
        """One line of JSON."""
        line = {
            "time": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname,
            "service": self._service,
            "logger": record.name,
            "message": record.getMessage(),
        }
        extra = {key: value for key, value in vars(record).items() if key not in _STANDARD}
        line |= {f"{key}_" if key in line else key: value for key, value in extra.items()}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class RateLimit(logging.Filter):
    """Lets each message (before its arguments) of a library through once per ``seconds``.

    aiokafka repeats itself 150 times a second in an outage. How many were held back is told with the next one, as
    ``suppressed``. Loggers outside ``name`` pass. Belongs on a handler: a logger's filters do not see its children.
    """

    def __init__(self, name: str, seconds: float = 10.0, clock: Clock | None = None) -> None:
        super().__init__(name)
        self._seconds, self._clock = seconds, clock or SystemClock()
        self._next: dict[str, float] = {}
        self._suppressed: Counter[str] = Counter()

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this record is due."""
        if not super().filter(record):
            return True
        key, now = f"{record.name}:{record.msg!s:.80}", self._clock.monotonic()
        if now < self._next.get(key, -math.inf):
            self._suppressed[key] += 1
            return False
        if len(self._next) >= MAX_MESSAGES:  # messages that are formatted before they are logged never come again
            self._next.clear()
        self._next[key] = now + self._seconds
        if suppressed := self._suppressed.pop(key, 0):
            record.suppressed = suppressed
        return True


MAX_MESSAGES = 1000
NOISY = ("aiokafka", "faststream")


def configure(
    service: str, level: str = "INFO", stream: TextIO | None = None, noisy: Iterable[str] = NOISY
) -> logging.Logger:
    """Send all logs of this process as JSON lines to ``stream`` (stdout) and return the service's logger."""
    handler = logging.StreamHandler(stream or sys.stdout)
    handler.setFormatter(JsonFormatter(service))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in noisy:
        logging.getLogger(name).setLevel(max(logging.WARNING, logging.getLevelName(level)))
        handler.addFilter(RateLimit(name))
    return logging.getLogger(f"argus.{service}")
