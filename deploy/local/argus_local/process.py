"""A service as a child of this process, which it never outlives."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from argus_local import guard

STOP_SECONDS = 20.0
LOG_TAIL_LINES = 15


class ServiceProcess:
    """Runs ``python -m module`` under a guard that ends it when this process goes, however that happens.

    Args:
        module: what to run.
        log: file for its output.
        environment: settings, on top of our own environment.
        arguments: after the module.
    """

    def __init__(self, module: str, log: Path, environment: Mapping[str, str], *arguments: str) -> None:
        self.module, self.log = module, log
        command = [sys.executable, "-m", module, *arguments]
        watch = [sys.executable, "-I", "-S", guard.__file__, str(os.getpid()), str(log), *command]
        self._guard = subprocess.Popen(
            watch,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            env=os.environ | dict(environment),
            start_new_session=True,  # Ctrl-C in the terminal is ours to pass on, in order
        )

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        return self._guard.poll() is None

    @property
    def exit_code(self) -> int | None:
        """Its exit code, None while it runs."""
        return self._guard.poll()

    def stop(self) -> int:
        """Ask it to stop, wait, and return its exit code."""
        if self.running:
            self._guard.send_signal(signal.SIGTERM)
        try:
            return self._guard.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._guard.kill()
            return self._guard.wait()

    def log_tail(self) -> str:
        """The last lines of its output."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-LOG_TAIL_LINES:]) or "(no output)"
