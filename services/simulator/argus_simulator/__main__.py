"""``python -m argus_simulator``: settings from the environment, then produce until a signal."""

import sys
from asyncio import Event

from argus_common.runtime import run
from argus_common.settings import KafkaSettings, OpsSettings, load
from argus_simulator.app import Configuration, serve
from argus_simulator.settings import SimulatorSettings


async def main(stop: Event) -> None:
    await serve(Configuration(load(SimulatorSettings), load(KafkaSettings), load(OpsSettings)), stop)


if __name__ == "__main__":
    sys.exit(run(main))
