"""One server process of the stack: start it, wait until it answers, stop it, and mistreat it for tests."""

import os
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import psutil

from argus_common.errors import ConfigurationError, TransientError
from argus_local import guard, state
from argus_local.ports import is_free

READY_SECONDS = 60.0
STOP_SECONDS = 10.0
POLL_SECONDS = 0.02
LOG_TAIL_LINES = 15


@dataclass(frozen=True, slots=True)
class ServerStatus:
    """What a running server is and costs."""

    name: str
    version: str
    address: str
    pid: int
    memory_bytes: int
    uptime_seconds: float


class Server(ABC):
    """A server on one loopback port with its own folder.

    Attached (the default), it ends with this process, even if this process is killed. Detached, it stays.
    """

    name: str
    version: str
    environment: ClassVar[Mapping[str, str]] = {}
    """Variables that the server needs beside ours."""

    def __init__(self, folder: Path, port: int, *, detached: bool = False) -> None:
        self.folder = folder
        self.port = port
        self.detached = detached
        self.log = folder.parent / f"{folder.name}.log"
        self.process: psutil.Process | None = None
        self._child: subprocess.Popen[str] | None = None

    @property
    @abstractmethod
    def address(self) -> str:
        """Where clients connect."""

    @abstractmethod
    def prepare(self) -> list[str]:
        """Write what the server needs into its folder and return its command line."""

    @abstractmethod
    def ready(self) -> bool:
        """Whether the server does its work now."""

    @property
    def running(self) -> bool:
        """Whether the process lives (a suspended one does)."""
        try:
            return (
                self.process is not None and self.process.is_running() and self.process.status() != psutil.STATUS_ZOMBIE
            )
        except psutil.NoSuchProcess:
            return False

    def start(self) -> None:
        """Start and return when the server answers.

        Raises:
            ConfigurationError: the port is taken or the program can't run.
            TransientError: the server ended or did not answer in time; the text has the end of its log.
        """
        self.spawn()
        self.wait_ready()

    def spawn(self) -> None:
        """Start without waiting; ``wait_ready`` must follow."""
        if self.running:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        if not is_free(self.port):
            raise ConfigurationError(
                f"{self.name}: port {self.port} on this machine is taken by another program. Stop that one or"
                " choose another port."
            )
        self._launch(self.prepare())
        if self.process is not None:
            state.write(self.folder, self.port, self.process)

    def wait_ready(self, seconds: float = READY_SECONDS) -> None:
        """Return when the server answers; stop it and raise when it ends or takes longer than ``seconds``."""
        deadline = time.monotonic() + seconds
        while not self.ready():
            if not self.running or time.monotonic() > deadline:
                what = "did not answer in time" if self.running else "ended while starting"
                self.stop()
                raise TransientError(f"{self.name} {what}. The end of {self.log}:\n{self.log_tail()}")
            time.sleep(POLL_SECONDS)

    def stop(self) -> None:
        """End the server in order, by force after a while; stopping a stopped server is fine."""
        if self.process is not None and self.running:
            self.process.resume()  # a suspended process would not hear the next signal
            self.process.terminate()
        self._reap(STOP_SECONDS)

    def kill(self) -> None:
        """``kill -9``: the server gets no chance to write or to say good-bye."""
        if self.process is not None and self.running:
            self.process.kill()
        self._reap(STOP_SECONDS)

    def suspend(self) -> None:
        """SIGSTOP: connections stay open and nothing answers."""
        self._alive().suspend()

    def resume(self) -> None:
        """SIGCONT: go on after ``suspend``."""
        self._alive().resume()

    def adopt(self) -> bool:
        """Take over the server that another process has started on this folder; whether there was one."""
        entry = state.read(self.folder)
        if entry is None:
            return False
        self.process = entry.process()
        if self.process is None:
            state.remove(self.folder)
            return False
        self.port = entry.port
        return True

    def status(self) -> ServerStatus | None:
        """What runs, None if nothing does."""
        if self.process is None or not self.running:
            return None
        return ServerStatus(
            self.name,
            self.version,
            self.address,
            self.process.pid,
            self.process.memory_info().rss,
            time.time() - self.process.create_time(),
        )

    def log_tail(self) -> str:
        """The last lines of the server's log."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-LOG_TAIL_LINES:]) or "(the log is empty)"

    def _alive(self) -> psutil.Process:
        if self.process is None or not self.running:
            raise TransientError(f"{self.name} is not running")
        return self.process

    def _launch(self, command: list[str]) -> None:
        watch = [sys.executable, "-I", "-S", guard.__file__, str(os.getpid()), str(self.log)]
        with self.log.open("ab") as log:
            try:
                self._child = subprocess.Popen(
                    command if self.detached else [*watch, *command],
                    stdin=subprocess.DEVNULL,
                    stdout=log if self.detached else subprocess.PIPE,
                    stderr=log,
                    text=True,
                    cwd=self.folder,
                    env=os.environ | self.environment,
                    start_new_session=True,  # Ctrl-C in the terminal must not stop a server before its clients
                )
            except OSError as error:
                raise self._cannot_run(command, str(error)) from error
        self.process = _process(self._child.pid if self.detached else self._guarded_pid(command))

    def _guarded_pid(self, command: list[str]) -> int:
        assert self._child is not None  # noqa: S101 (for the type checker)
        assert self._child.stdout is not None  # noqa: S101
        with self._child.stdout as announced:
            pid = announced.readline().strip()
        if not pid:
            self._reap(STOP_SECONDS)
            raise self._cannot_run(command, f"the end of {self.log}:\n{self.log_tail()}")
        return int(pid)

    def _cannot_run(self, command: list[str], reason: str) -> ConfigurationError:
        return ConfigurationError(f"{self.name}: {command[0]} can't run on this machine: {reason}")

    def _reap(self, seconds: float) -> None:
        """Wait until the process has ended, by force after ``seconds``, and forget it."""
        if self.process is None and self._child is None:
            return
        deadline = time.monotonic() + seconds
        while self.running and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
        if self.process is not None and self.running:
            self.process.kill()
        if self._child is not None:
            self._child.wait()
        state.remove(self.folder)
        self.process = self._child = None


def _process(pid: int) -> psutil.Process | None:
    try:
        return psutil.Process(pid)
    except psutil.NoSuchProcess:  # it ended at once; the log says why
        return None
