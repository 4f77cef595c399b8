"""The runtime, in processes of its own: signals and exit codes are the process's."""

import asyncio
import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import IO

import pytest

from argus_common.errors import ArgusError, ConfigurationError, DeadLetterFloodError, TransientError
from argus_common.runtime import run

SERVICE = """
import asyncio, sys
from argus_common import errors, logs
from argus_common.runtime import run

async def main(stop):
{body}

logs.configure("test")
sys.exit(run(main))
"""


def start(body: str) -> "subprocess.Popen[str]":
    indented = "\n".join(f"    {line}" for line in body.splitlines())
    return subprocess.Popen(
        [sys.executable, "-c", SERVICE.format(body=indented)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: "subprocess.Popen[str]") -> tuple[int, str, str]:
    out, err = process.communicate(timeout=60)
    return process.returncode, out, err


def output(process: "subprocess.Popen[str]") -> IO[str]:
    assert process.stdout is not None
    return process.stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_lets_the_service_wind_down_and_exit_with_0(number: signal.Signals) -> None:
    process = start("print('up', flush=True)\nawait stop.wait()\nprint('flushed', flush=True)")
    assert output(process).readline() == "up\n"
    process.send_signal(number)
    assert finish(process) == (0, "flushed\n", "")


def test_a_second_signal_does_not_cut_the_wind_down_short() -> None:
    process = start(
        "print('up', flush=True)\nawait stop.wait()\nprint('stopping', flush=True)\n"
        "sys.stdin.read()\nawait asyncio.sleep(0)\nprint('flushed', flush=True)"
    )
    assert output(process).readline() == "up\n"
    process.send_signal(signal.SIGTERM)
    assert output(process).readline() == "stopping\n"
    process.send_signal(signal.SIGTERM)
    assert finish(process) == (0, "flushed\n", "")


def test_a_service_that_ends_by_itself_exits_with_0() -> None:
    assert finish(start("return")) == (0, "", "")


def test_wrong_configuration_is_one_line_on_stderr_and_exit_2() -> None:
    code, out, err = finish(start("raise errors.ConfigurationError('settings: ARGUS_X: missing')"))
    assert (code, out, err) == (2, "", "configuration: settings: ARGUS_X: missing\n")


def test_an_expected_failure_is_one_log_line_and_exit_1() -> None:
    code, out, err = finish(start("raise errors.TransientError('Redis failed while reading rings: gone')"))
    line = json.loads(out)
    assert (code, err) == (1, "")
    assert (line["level"], line["message"], line["kind"]) == ("CRITICAL", "stopped", "TransientError")
    assert line["error"] == "Redis failed while reading rings: gone"
    assert "exception" not in line


def test_a_bug_is_logged_with_its_traceback_and_exit_1() -> None:
    code, out, err = finish(start("1 / 0"))
    line = json.loads(out)
    assert (code, err, line["message"]) == (1, "", "stopped by a bug")
    assert line["exception"].endswith("ZeroDivisionError: division by zero")


TASK_GROUP = """
async def one():
    {one}
async def other():
    {other}
async with asyncio.TaskGroup() as tasks:
    tasks.create_task(one())
    tasks.create_task(other())
"""


def test_the_only_failure_in_a_task_group_counts_as_itself() -> None:
    body = TASK_GROUP.format(one="raise errors.ConfigurationError('wrong')", other="await stop.wait()")
    assert finish(start(body)) == (2, "", "configuration: wrong\n")


def test_several_failures_in_a_task_group_are_all_told() -> None:
    body = TASK_GROUP.format(one="raise errors.TransientError('Redis')", other="raise errors.TransientError('Kafka')")
    code, out, _ = finish(start(body))
    assert code == 1
    assert "TransientError: Redis" in json.loads(out)["exception"]
    assert "TransientError: Kafka" in json.loads(out)["exception"]


@pytest.fixture
def collector() -> Iterator[None]:
    """Puts the garbage collector back as it was."""
    before = gc.get_threshold()
    yield
    gc.set_threshold(*before)
    gc.unfreeze()


@pytest.mark.usefixtures("collector")
def test_a_signal_to_this_very_process_stops_the_service() -> None:
    seen: list[str] = []

    async def main(stop: asyncio.Event) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        await stop.wait()
        seen.append("stopped")

    before = signal.getsignal(signal.SIGTERM)
    assert run(main) == 0
    assert seen == ["stopped"]
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.usefixtures("collector")
@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigurationError("wrong"), 2),
        (TransientError("gone"), 1),
        (DeadLetterFloodError("too many"), 1),
        (ArgusError("stopped"), 1),
        (ZeroDivisionError("a bug"), 1),
        (ExceptionGroup("tasks", [ExceptionGroup("inner", [ConfigurationError("wrong")])]), 2),
        (ExceptionGroup("tasks", [ConfigurationError("wrong"), ZeroDivisionError("a bug")]), 1),
    ],
)
def test_the_exit_code_tells_configuration_from_failure(error: Exception, code: int) -> None:
    async def main(stop: asyncio.Event) -> None:
        assert not stop.is_set()
        raise error

    assert run(main) == code


@pytest.mark.usefixtures("collector")
def test_services_collect_garbage_seldom() -> None:
    async def main(stop: asyncio.Event) -> None:
        assert not stop.is_set()

    run(main)
    assert gc.get_threshold()[0] == 50_000


def test_a_service_that_never_winds_down_is_made_to_let_go_before_somebody_kills_it() -> None:
    body = """
from argus_common import runtime
runtime.PATIENCE_SECONDS = 0.1
print('up', flush=True)
try:
    await asyncio.Event().wait()
finally:
    print('let go', flush=True)
"""
    process = start(body)
    assert output(process).readline() == "up\n"
    process.send_signal(signal.SIGTERM)
    code, out, err = finish(process)
    warning, let_go = out.splitlines()
    assert (code, let_go, err) == (0, "let go", "")
    assert "did not wind down in time" in warning
