"""``argus run SERVICE``: one service in the foreground."""

import os
import sys
from enum import StrEnum
from typing import Annotated

import typer


class Service(StrEnum):
    """The services that exist."""

    INGEST = "ingest"
    INFERENCE = "inference"
    CASCADE = "cascade"
    DRIFT = "drift"
    RETRAINER = "retrainer"
    SIMULATOR = "simulator"


def run(service: Annotated[Service, typer.Argument(help="Which one.")]) -> None:
    """Run one service until Ctrl-C, with settings from the environment (docs/reference/settings.md).

    Example, after `eval "$(argus stack up)"` and `argus topics provision`: argus run ingest
    """
    os.execv(sys.executable, [sys.executable, "-m", f"argus_{service.value}"])  # noqa: S606 - our own interpreter
