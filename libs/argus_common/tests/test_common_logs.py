import io
import json
import logging
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from argus_common import logs
from argus_common.clock import ManualClock
from argus_common.logs import JsonFormatter, RateLimit


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """What the configured root logger writes; the test run's own logging is put back afterwards."""
    root, noisy = logging.getLogger(), logging.getLogger("aiokafka")
    before = root.handlers, root.level, noisy.level
    written = io.StringIO()
    yield written
    (root.handlers, level, noisy_level) = before
    root.setLevel(level)
    noisy.setLevel(noisy_level)


def lines(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_a_log_is_one_line_of_json_with_its_fields(stream: io.StringIO) -> None:
    logs.configure("ingest", stream=stream).info("window closed", extra={"server": "web\n1", "step": 7})
    (line,) = lines(stream)
    assert line.pop("time")[4] == "-"
    assert line == {
        "level": "INFO",
        "service": "ingest",
        "logger": "argus.ingest",
        "message": "window closed",
        "server": "web\n1",
        "step": 7,
    }


def test_arguments_are_put_into_the_message(stream: io.StringIO) -> None:
    logs.configure("ingest", stream=stream).info("%d of %d", 1, 2)
    assert lines(stream)[0]["message"] == "1 of 2"


def test_a_field_never_hides_what_every_line_has(stream: io.StringIO) -> None:
    log = logs.configure("ingest", stream=stream)
    log.error("risk", extra={"level": "critical", "service": "other", "time": 0})
    (line,) = lines(stream)
    assert (line["level"], line["level_"]) == ("ERROR", "critical")
    assert (line["service"], line["service_"]) == ("ingest", "other")
    assert line["time_"] == 0


def test_an_exception_is_told_in_the_same_line(stream: io.StringIO) -> None:
    log = logs.configure("ingest", stream=stream)
    log.error("failed", exc_info=ZeroDivisionError("a bug"))
    (line,) = lines(stream)
    assert line["exception"] == "ZeroDivisionError: a bug"


def test_a_secret_in_a_field_is_not_written(stream: io.StringIO) -> None:
    logs.configure("ingest", stream=stream).info("connecting", extra={"password": SecretStr("open-sesame")})
    assert "open-sesame" not in stream.getvalue()
    assert lines(stream)[0]["password"] == "**********"


def test_the_level_decides_what_is_written(stream: io.StringIO) -> None:
    log = logs.configure("ingest", "WARNING", stream)
    log.info("no")
    log.warning("yes")
    assert [line["message"] for line in lines(stream)] == ["yes"]


def test_configuring_again_does_not_double_the_lines(stream: io.StringIO) -> None:
    logs.configure("ingest", stream=stream)
    logs.configure("ingest", stream=stream).info("once")
    assert len(lines(stream)) == 1


def test_logs_go_to_stdout_by_default(stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", stream)
    logs.configure("ingest").info("here")
    assert lines(stream)[0]["message"] == "here"


@pytest.mark.parametrize("logger", ["aiokafka", "aiokafka.conn", "aiokafka.producer.producer", "aiokafka.admin.client"])
def test_a_repeating_library_is_held_back_whichever_of_its_loggers_speaks(stream: io.StringIO, logger: str) -> None:
    logs.configure("ingest", "DEBUG", stream)
    noisy = logging.getLogger(logger)
    noisy.info("chatter")
    for port in range(100):
        noisy.warning("Unable connect to %s", port)
    assert [line["message"] for line in lines(stream)] == ["Unable connect to 0"]


def test_our_own_logs_are_never_held_back(stream: io.StringIO) -> None:
    log = logs.configure("ingest", stream=stream)
    for _ in range(3):
        log.warning("again")
    assert len(lines(stream)) == 3


def record(name: str, message: str) -> logging.LogRecord:
    return logging.LogRecord(name, logging.WARNING, "", 0, message, (), None)


def test_each_message_is_due_once_per_period_and_tells_how_many_were_held_back() -> None:
    clock = ManualClock()
    limit = RateLimit("aiokafka", seconds=10, clock=clock)
    assert limit.filter(record("aiokafka.conn", "gone"))
    assert limit.filter(record("aiokafka.conn", "another message"))
    assert limit.filter(record("aiokafka.client", "gone"))
    assert [limit.filter(record("aiokafka.conn", "gone")) for _ in range(3)] == [False, False, False]
    clock.advance(9.99)
    assert not limit.filter(record("aiokafka.conn", "gone"))
    clock.advance(0.01)
    due = record("aiokafka.conn", "gone")
    assert limit.filter(due)
    assert json.loads(JsonFormatter("ingest").format(due))["suppressed"] == 4
    clock.advance(10)
    due = record("aiokafka.conn", "gone")
    assert limit.filter(due)
    assert "suppressed" not in json.loads(JsonFormatter("ingest").format(due))


def test_messages_that_never_come_again_cost_no_memory() -> None:
    limit = RateLimit("aiokafka", clock=ManualClock())
    for i in range(5000):
        assert limit.filter(record("aiokafka", f"{i} gone"))
    assert len(limit._next) <= logs.MAX_MESSAGES
