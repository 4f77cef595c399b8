"""The services as they are deployed, on a site of their own, with a simulated fleet whose past has been read."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from argus_site import IngestProcess, Site, end, until
from inference_site import environment, start_inference

SERVERS = "14"
PAST_SECONDS = 9 * 86_400
SPEED = "300"
"""Event seconds per second: a step closes every second."""


@dataclass(frozen=True, slots=True)
class Demo:
    """Running services by name."""

    services: Mapping[str, IngestProcess]

    def targets(self) -> dict[str, str]:
        """Scrape job → address."""
        return {f"argus-{name}": f"127.0.0.1:{service.port}" for name, service in self.services.items()}


@contextmanager
def demo(site: Site) -> Iterator[Demo]:
    """Runs until the block ends; entered once the past is read and forecasts come."""
    try:
        ingest = site.start_ingest(ARGUS_INGEST_RING_STEPS="2304", ARGUS_INGEST_MAX_FUTURE_SKEW="1000000")
        cascade = _started(site, "cascade", ARGUS_CASCADE_GROUP=site.kafka.topic_prefix + "cascade")
        until(cascade.ready, f"cascade to be ready, see {cascade.log}")
        drift = _started(site, "drift", ARGUS_DRIFT_GROUP=site.kafka.topic_prefix + "drift")
        until(drift.ready, f"drift to be ready, see {drift.log}")
        archive = str(site.folder / "archive")
        retrainer = _started(
            site,
            "retrainer",
            ARGUS_RETRAINER_GROUP=f"{site.kafka.topic_prefix}retrainer",
            ARGUS_RETRAINER_ARCHIVE=archive,
        )
        until(retrainer.ready, f"the retrainer to be ready, see {retrainer.log}")
        simulator = _simulator(site)
        inference = start_inference(site, ARGUS_INFERENCE_RING_STEPS="2304", ARGUS_INFERENCE_HISTORY_STEPS="2112")
        until(lambda: inference.metric("argus_inference_forecasts_total") > 100, f"forecasts, see {inference.log}", 120)
        watched = 'argus_cascade_watched_servers{fleet="default"}'
        until(lambda: cascade.metric(watched) > 0, f"a step in cascade, see {cascade.log}")
        others = {
            "inference": inference,
            "cascade": cascade,
            "drift": drift,
            "retrainer": retrainer,
            "simulator": simulator,
        }
        yield Demo({"ingest": ingest} | others)
    finally:
        end(site)


def _simulator(site: Site) -> IngestProcess:
    made = _started(
        site,
        "simulator",
        ARGUS_SIMULATOR_SERVERS=SERVERS,
        ARGUS_SIMULATOR_HISTORY=str(PAST_SECONDS),
        ARGUS_SIMULATOR_SPEED=SPEED,
        ARGUS_SIMULATOR_SCENARIO="critical",
        ARGUS_SIMULATOR_INTERVAL="60",
    )
    until(made.ready, f"the simulator to be ready, see {made.log}")
    return made


def _started(site: Site, service: str, **settings: str) -> IngestProcess:
    told, log = environment(site, **settings), site.folder / f"{service}.log"
    with log.open("wb") as output:
        command = [sys.executable, "-m", f"argus_{service}"]
        process = subprocess.Popen(command, env=told, stdout=output, stderr=subprocess.STDOUT)
    made = IngestProcess(process, int(told["ARGUS_OPS_PORT"]), log)
    site.running.append(made)
    return made
