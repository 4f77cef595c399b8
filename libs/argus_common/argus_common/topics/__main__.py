"""``python -m argus_common.topics``: create the catalogue's topics where the argus command is not installed."""

import asyncio
import sys

from argus_common.kafka.provision import provision
from argus_common.logs import configure
from argus_common.runtime import run
from argus_common.settings import KafkaSettings, OpsSettings, load


async def main(_stop: asyncio.Event) -> None:
    log = configure("topics", load(OpsSettings).log_level)
    created = await provision(load(KafkaSettings))
    log.info("topics provisioned", extra={"created": created})


if __name__ == "__main__":
    sys.exit(run(main))
