"""Jobs as processes of this machine, each in a group of its own, which is killed as a whole."""

import fcntl
import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from argus_retrainer.job.files import LOCK, LOG

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(slots=True)
class LocalLauncher:
    """A `Launcher`. A job holds a lock on a file of its folder, so it is found again by whoever comes after us."""

    root: Path
    _started: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    async def launch(self, version: str) -> None:
        """Start the job of a training whose order lies in its folder."""
        place = self.root / version
        with (place / LOG).open("ab") as log:
            self._started[version] = subprocess.Popen(  # noqa: ASYNC220 - it is not waited for
                [sys.executable, "-m", "argus_retrainer.job", str(place)],
                env={**os.environ, **ONE_THREAD},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    async def runs(self, version: str) -> bool:
        """Whether its process is there, started by us or by a retrainer before."""
        started = self._started.get(version)
        if started is not None and started.poll() is None:
            return True
        return _holder(self.root / version) is not None

    async def cancel(self, version: str) -> None:
        """Kill it with all that it has started; one that is gone is fine."""
        started, holder = self._started.pop(version, None), _holder(self.root / version)
        for group in {pid for pid in (holder, started and started.pid) if pid}:
            try:
                os.killpg(group, signal.SIGKILL)
            except ProcessLookupError:
                continue
        if started is not None:
            started.wait()


def _holder(place: Path) -> int | None:
    """The process that holds the lock of a folder; None where nobody does."""
    try:
        with (place / LOCK).open("r") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        written = (place / LOCK).read_text()
        return int(written) if written.isdecimal() else 0
    return None
