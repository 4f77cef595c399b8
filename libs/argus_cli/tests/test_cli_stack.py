"""`argus stack` in processes of its own, as a person types it."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import redis

from argus_local import Stack
from argus_local.ports import answers, free_ports

COMMAND = [sys.executable, "-c", "from argus_cli.stack import app; app()"]
READY_SECONDS = 60


def argus_stack(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([*COMMAND, *arguments], capture_output=True, text=True, check=False, timeout=READY_SECONDS)


def exports(output: str) -> dict[str, str]:
    lines = [line.removeprefix("export ") for line in output.splitlines() if line.startswith("export ")]
    return dict(line.split("=", 1) for line in lines)


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[str]:
    data = tmp_path / "stack"
    yield str(data)
    left = Stack.running_in(data)
    if left is not None:
        left.stop()


def test_up_status_down_and_each_of_them_twice(folder: str) -> None:
    first = argus_stack("up", "--data", folder)
    assert first.returncode == 0, first.stderr
    found = exports(first.stdout)
    assert answers(int(found["ARGUS_KAFKA_BOOTSTRAP_SERVERS"].split(":")[1]))
    with redis.Redis.from_url(found["ARGUS_REDIS_URL"]) as client:
        assert client.ping()

    again = argus_stack("up", "--data", folder)
    assert exports(again.stdout) == found
    assert "Already running" in again.stderr

    seen = argus_stack("status", "--data", folder)
    assert seen.returncode == 0
    assert "4.3.1" in seen.stderr
    assert found["ARGUS_REDIS_URL"] in seen.stderr

    assert "Stopped." in argus_stack("down", "--data", folder).stderr
    assert not answers(int(found["ARGUS_KAFKA_BOOTSTRAP_SERVERS"].split(":")[1]))
    last = argus_stack("down", "--data", folder)
    assert (last.returncode, "Nothing runs" in last.stderr) == (0, True)


def test_status_of_nothing_fails_and_says_how_to_start(folder: str) -> None:
    seen = argus_stack("status", "--data", folder)
    assert seen.returncode == 1
    assert "argus stack up" in seen.stderr


def test_a_lost_server_is_reported_and_up_brings_both_back(folder: str) -> None:
    assert argus_stack("up", "--data", folder).returncode == 0
    stack = Stack.running_in(Path(folder))
    assert stack is not None
    stack.redis.kill()

    seen = argus_stack("status", "--data", folder)
    assert (seen.returncode, "Not running: Redis" in seen.stderr) == (1, True)
    assert argus_stack("up", "--data", folder).returncode == 0
    assert argus_stack("status", "--data", folder).returncode == 0


def test_the_foreground_stack_ends_at_ctrl_c_with_both_servers(folder: str) -> None:
    process = subprocess.Popen(
        [*COMMAND, "up", "--foreground", "--data", folder],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    with process.stdout as output:
        exported = [output.readline(), output.readline()]
    stack = Stack.running_in(Path(folder))
    assert stack is not None
    servers = [psutil.Process(status.pid) for status in stack.status()]
    assert (len(exported), len(servers)) == (2, 2)

    process.send_signal(signal.SIGINT)
    assert process.wait(READY_SECONDS) == 0
    _, alive = psutil.wait_procs(servers, timeout=READY_SECONDS)
    assert alive == []


def test_a_taken_port_is_named(folder: str, private_stack: Stack) -> None:
    taken, spare = private_stack.kafka.port, free_ports(1)[0]
    failed = argus_stack("up", "--data", folder, "--kafka-port", str(taken), "--redis-port", str(spare))
    assert failed.returncode == 1
    assert f"port {taken}" in failed.stderr
    assert Stack.running_in(Path(folder)) is None
