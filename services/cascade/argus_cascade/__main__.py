"""``python -m argus_cascade``: settings from the environment, then serve until a signal."""

import sys
from asyncio import Event

from argus_cascade.app import Configuration, serve
from argus_cascade.settings import CascadeSettings
from argus_common.runtime import run
from argus_common.settings import KafkaSettings, OpsSettings, RedisSettings, load


async def main(stop: Event) -> None:
    await serve(Configuration(load(CascadeSettings), load(KafkaSettings), load(RedisSettings), load(OpsSettings)), stop)


if __name__ == "__main__":
    sys.exit(run(main))
