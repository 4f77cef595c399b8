"""The file in a server's folder that tells other processes what runs there."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

FILE_NAME = "process.json"
CREATE_TIME_TOLERANCE_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class ProcessEntry:
    """A server's port and process; the creation time tells a recycled process id from the real one."""

    port: int
    pid: int
    created: float

    def process(self) -> psutil.Process | None:
        """The live process, None if it has ended: then the entry is stale."""
        try:
            process = psutil.Process(self.pid)
            is_same = abs(process.create_time() - self.created) < CREATE_TIME_TOLERANCE_SECONDS
        except psutil.NoSuchProcess:
            return None
        return process if is_same else None


def write(folder: Path, port: int, process: psutil.Process) -> None:
    """Remember what runs on this folder."""
    partial = folder / f"{FILE_NAME}.partial"
    partial.write_text(json.dumps(asdict(ProcessEntry(port, process.pid, process.create_time()))) + "\n")
    partial.replace(folder / FILE_NAME)


def read(folder: Path) -> ProcessEntry | None:
    """What was started on this folder, None if nothing was or the file can't be read."""
    try:
        return ProcessEntry(**json.loads((folder / FILE_NAME).read_text()))
    except (OSError, ValueError, TypeError):
        return None


def remove(folder: Path) -> None:
    """Forget what ran on this folder."""
    (folder / FILE_NAME).unlink(missing_ok=True)
