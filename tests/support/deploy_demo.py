"""The services as they are deployed, on a site of their own, with a simulated fleet whose past has been read."""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from argus_site import IngestProcess, Site, end, until
from inference_site import environment, start_inference

SERVERS = 14
ONE_FLEET = MappingProxyType({"default": "critical"})
PAST_SECONDS = 9 * 86_400
SPEED = "300"
"""Event seconds per second: a step closes every second."""
BEGAN_DAYS_AGO = 2
"""For that long over the speed (nine minutes) the fleet stays in the past: nobody takes what lies in the future."""


@dataclass(frozen=True, slots=True)
class Demo:
    """Running services by name."""

    services: Mapping[str, IngestProcess]

    def targets(self) -> dict[str, str]:
        """Scrape job → address."""
        return {f"argus-{name}": f"127.0.0.1:{service.port}" for name, service in self.services.items()}


@contextmanager
def demo(site: Site, fleets: Mapping[str, str] = ONE_FLEET, servers: int = SERVERS) -> Iterator[Demo]:
    """Runs until the block ends; entered once the past is read and forecasts come.

    Args:
        site: where it runs.
        fleets: name → scenario that it goes through.
        servers: of each fleet.
    """
    try:
        ingest = site.start_ingest(ARGUS_INGEST_RING_STEPS="2304")
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
            ARGUS_RETRAINER_ARCHIVE_EVERY="5",
            ARGUS_RETRAINER_TIDY_EVERY="10",
        )
        until(retrainer.ready, f"the retrainer to be ready, see {retrainer.log}")
        simulators = [_simulator(site, fleet, scenario, servers) for fleet, scenario in fleets.items()]
        inference = start_inference(site, ARGUS_INFERENCE_RING_STEPS="2304", ARGUS_INFERENCE_HISTORY_STEPS="2112")
        until(lambda: inference.metric("argus_inference_forecasts_total") > 100, f"forecasts, see {inference.log}", 120)
        watched = f'argus_cascade_watched_servers{{fleet="{next(iter(fleets))}"}}'
        until(lambda: cascade.metric(watched) > 0, f"a step in cascade, see {cascade.log}")
        others = {
            "inference": inference,
            "cascade": cascade,
            "drift": drift,
            "retrainer": retrainer,
            "simulator": simulators[0],
        }
        yield Demo({"ingest": ingest} | others)
    finally:
        end(site)


def _simulator(site: Site, fleet: str, scenario: str, servers: int) -> IngestProcess:
    made = _started(
        site,
        "simulator",
        ARGUS_SIMULATOR_FLEET=fleet,
        ARGUS_SIMULATOR_SERVERS=str(servers),
        ARGUS_SIMULATOR_HISTORY=str(PAST_SECONDS),
        ARGUS_SIMULATOR_SPEED=SPEED,
        ARGUS_SIMULATOR_SCENARIO=scenario,
        ARGUS_SIMULATOR_INTERVAL="60",
        ARGUS_SIMULATOR_START=(datetime.now(UTC) - timedelta(days=BEGAN_DAYS_AGO)).isoformat(),
    )
    until(made.ready, f"the simulator to be ready, see {made.log}")
    return made


def _started(site: Site, service: str, **settings: str) -> IngestProcess:
    told, log = environment(site, **settings), site.folder / f"{service}{len(site.running)}.log"
    with log.open("wb") as output:
        command = [sys.executable, "-m", f"argus_{service}"]
        process = subprocess.Popen(command, env=told, stdout=output, stderr=subprocess.STDOUT)
    made = IngestProcess(process, int(told["ARGUS_OPS_PORT"]), log)
    site.running.append(made)
    return made
