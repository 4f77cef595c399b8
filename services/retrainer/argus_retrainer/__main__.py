"""``python -m argus_retrainer``: settings from the environment, then serve until a signal."""

import sys
from asyncio import Event

from argus_common.runtime import run
from argus_common.settings import KafkaSettings, OpsSettings, RedisSettings, load
from argus_retrainer.app import Configuration, serve
from argus_retrainer.settings import RetrainerSettings


async def main(stop: Event) -> None:
    await serve(
        Configuration(load(RetrainerSettings), load(KafkaSettings), load(RedisSettings), load(OpsSettings)), stop
    )


if __name__ == "__main__":
    sys.exit(run(main))
