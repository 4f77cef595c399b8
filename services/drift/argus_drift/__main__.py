"""``python -m argus_drift``: settings from the environment, then serve until a signal."""

import sys
from asyncio import Event

from argus_common.runtime import run
from argus_common.settings import KafkaSettings, OpsSettings, RedisSettings, load
from argus_drift.app import Configuration, serve
from argus_drift.settings import DriftSettings


async def main(stop: Event) -> None:
    await serve(Configuration(load(DriftSettings), load(KafkaSettings), load(RedisSettings), load(OpsSettings)), stop)


if __name__ == "__main__":
    sys.exit(run(main))
