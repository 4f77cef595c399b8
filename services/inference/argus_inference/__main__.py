"""``python -m argus_inference``: settings from the environment, then serve until a signal."""

import sys
from asyncio import Event

from argus_common.runtime import run
from argus_common.settings import KafkaSettings, OpsSettings, RedisSettings, load
from argus_inference.app import Configuration, serve
from argus_inference.settings import InferenceSettings


async def main(stop: Event) -> None:
    await serve(
        Configuration(load(InferenceSettings), load(KafkaSettings), load(RedisSettings), load(OpsSettings)), stop
    )


if __name__ == "__main__":
    sys.exit(run(main))
