"""``python -m argus_retrainer.job FOLDER``: one training, gentle to whatever else runs here."""

import fcntl
import os
import sys
import time
from pathlib import Path
from typing import IO

from argus_retrainer.job.files import LOCK, JobFolder

EXIT_RUNS_ALREADY, EXIT_NO_ORDER = 3, 2
TRIES, PAUSE_SECONDS = 20, 0.1
"""Whoever looks whether a job runs holds the lock for a moment."""


def locked(lock: IO[str]) -> bool:
    for _ in range(TRIES):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(PAUSE_SECONDS)
        else:
            lock.truncate(0)
            lock.write(str(os.getpid()))
            lock.flush()
            return True
    return False


def main(place: Path) -> int:
    lock = (place / LOCK).open("a+")
    if not locked(lock):
        return EXIT_RUNS_ALREADY
    folder = JobFolder(place)
    order = folder.order()
    if order is None:
        return EXIT_NO_ORDER
    if folder.result() is None:
        os.nice(order.niceness)
        from argus_common.clock import SystemClock  # noqa: PLC0415
        from argus_retrainer.job.work import work  # noqa: PLC0415 - torch takes seconds

        folder.write_result(work(folder, order, SystemClock()))
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
