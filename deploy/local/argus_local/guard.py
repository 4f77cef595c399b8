"""Run one server, and end it as soon as the process that wanted it is gone, however that one ended.

Started as ``python -I -S guard.py PARENT_PID LOG COMMAND...``: only the standard library, nothing of Argus, so that it
costs little memory. Prints the server's process id, then stays until the server ends and exits with its code.
The server also dies with its guard (Linux), so that killing the guard leaves nothing behind either.
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from types import FrameType

POLL_SECONDS = 0.25
GRACE_SECONDS = 10.0
PR_SET_PDEATHSIG = 1  # linux/prctl.h


def _die_with_guard() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _start(log: Path, command: list[str]) -> subprocess.Popen[bytes]:
    with log.open("ab") as output:
        return subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=_die_with_guard,  # safe: the guard has one thread  # noqa: PLW1509
        )


def _end(server: subprocess.Popen[bytes]) -> None:
    server.send_signal(signal.SIGCONT)  # a suspended process would not hear the next one
    server.terminate()
    try:
        server.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _wake_on_signals() -> int:
    """A descriptor that is readable after SIGCHLD or SIGTERM, so that waiting costs no processor time."""
    readable, writable = os.pipe()
    os.set_blocking(readable, False)
    os.set_blocking(writable, False)
    signal.set_wakeup_fd(writable)

    def ignore(_number: int, _frame: FrameType | None) -> None:
        """Being caught is enough: the number arrives through the wake-up descriptor."""

    signal.signal(signal.SIGCHLD, ignore)
    signal.signal(signal.SIGTERM, ignore)
    return readable


def watch(parent: int, log: Path, command: list[str]) -> int:
    """Exit code of the server, 128 + n when signal n ended it; returns soon after ``parent`` has gone."""
    wake = _wake_on_signals()
    server = _start(log, command)
    sys.stdout.write(f"{server.pid}\n")
    sys.stdout.flush()
    while server.poll() is None:
        told_to_stop = bool(select.select([wake], [], [], POLL_SECONDS)[0]) and signal.SIGTERM in os.read(wake, 64)
        if told_to_stop or os.getppid() != parent:
            _end(server)
    return server.returncode if server.returncode >= 0 else 128 - server.returncode


if __name__ == "__main__":
    sys.exit(watch(int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]))
