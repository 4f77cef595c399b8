"""However the owner ends, its servers end; what was detached on purpose stays until it is stopped."""

import signal
import subprocess
import sys
from pathlib import Path

import psutil

from argus_local import Stack

OWNER = """
import signal, sys
from pathlib import Path
from argus_local import Stack
stack = Stack(Path(sys.argv[1]), detached=sys.argv[2] == "detached")
stack.start()
print(*[server.process.pid for server in stack.servers], flush=True)
if sys.argv[2] == "attached":
    signal.pause()
"""
DEADLINE_SECONDS = 30


def own(data_dir: Path, how: str) -> tuple["subprocess.Popen[str]", list[psutil.Process]]:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, str(data_dir), how], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    servers = [psutil.Process(int(pid)) for pid in owner.stdout.readline().split()]
    owner.stdout.close()
    assert len(servers) == 2
    return owner, servers


def guards(data_dir: Path) -> list[psutil.Process]:
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if str(data_dir) in " ".join(process.info["cmdline"] or []) and process.pid != psutil.Process().pid
    ]


def test_killing_the_owner_leaves_no_process(tmp_path: Path) -> None:
    owner, servers = own(tmp_path, "attached")
    watchers = guards(tmp_path)
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    _, alive = psutil.wait_procs([*servers, *watchers], timeout=DEADLINE_SECONDS)
    assert alive == []


def test_killing_the_guards_takes_the_servers_along(tmp_path: Path) -> None:
    with Stack(tmp_path) as stack:
        servers = [server.process for server in stack.servers if server.process]
        for process in servers:
            parent = process.parent()
            assert parent is not None
            parent.kill()
        _, alive = psutil.wait_procs(servers, timeout=DEADLINE_SECONDS)
        assert alive == []
        assert stack.status() == []


def test_a_detached_stack_outlives_its_starter_and_any_process_can_stop_it(tmp_path: Path) -> None:
    starter, servers = own(tmp_path, "detached")
    assert starter.wait(DEADLINE_SECONDS) == 0
    found = Stack.running_in(tmp_path)
    assert found is not None
    assert {status.pid for status in found.status()} == {process.pid for process in servers}
    found.stop()
    assert Stack.running_in(tmp_path) is None
    _, alive = psutil.wait_procs(servers, timeout=DEADLINE_SECONDS)
    assert alive == []


def test_a_state_file_of_ended_servers_is_stale(tmp_path: Path) -> None:
    starter, servers = own(tmp_path, "detached")
    starter.wait(DEADLINE_SECONDS)
    for process in servers:
        process.kill()
    psutil.wait_procs(servers, timeout=DEADLINE_SECONDS)
    assert (tmp_path / "kafka" / "process.json").exists()
    assert Stack.running_in(tmp_path) is None
    assert not (tmp_path / "kafka" / "process.json").exists()
