"""Structured logs: one JSON object per line on stdout, a constant message plus fields, no payloads, no secrets."""

import json
import logging
import sys
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
        line |= {key: value for key, value in vars(record).items() if key not in _STANDARD}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class RateLimit(logging.Filter):
    """Lets each message (before its arguments) through once per ``seconds``; aiokafka repeats itself in an outage."""

    def __init__(self, seconds: float = 10.0, clock: Clock | None = None) -> None:
        super().__init__()
        self._seconds, self._clock = seconds, clock or SystemClock()
        self._next: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this record is due."""
        key, now = f"{record.name}:{record.msg!s:.80}", self._clock.monotonic()
        if now < self._next.get(key, 0.0):
            return False
        self._next[key] = now + self._seconds
        return True


NOISY = ("aiokafka", "aiokafka.conn", "aiokafka.client", "aiokafka.cluster", "aiokafka.producer.sender",
         "aiokafka.consumer.fetcher", "aiokafka.consumer.group_coordinator")  # fmt: skip


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
        logger = logging.getLogger(name)
        logger.setLevel(max(logging.WARNING, logging.getLevelName(level)))
        logger.filters = [RateLimit()]
    return logging.getLogger(f"argus.{service}")
