"""The composition root of the simulator: the only place where adapters are chosen."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from aiokafka.errors import KafkaError

from argus_common.clock import SystemClock
from argus_common.errors import ConfigurationError, TransientError
from argus_common.kafka import build_consumer, build_producer
from argus_common.kafka.provision import provision
from argus_common.logs import configure
from argus_common.ops import Health, OpsServer, build_registry
from argus_common.settings import KafkaSettings, OpsSettings
from argus_common.topics import COMMANDS, METRICS, SIMULATION
from argus_simulator.adapters.kafka_sink import KafkaSink
from argus_simulator.adapters.kafka_switch import KafkaSwitch, NoSwitch
from argus_simulator.adapters.ndjson_sink import NdjsonSink
from argus_simulator.adapters.parquet_sink import ParquetSink
from argus_simulator.domain.defects import Defects, Transport
from argus_simulator.domain.fleet import Fleet, make_fleet
from argus_simulator.domain.simulation import Simulation, Tick
from argus_simulator.domain.wire import Renderer
from argus_simulator.metrics import SimulatorMetrics
from argus_simulator.player import Player, Report, Timetable
from argus_simulator.ports import Sink, Switch
from argus_simulator.settings import SimulatorSettings


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything that is read from the environment."""

    simulator: SimulatorSettings
    kafka: KafkaSettings
    ops: OpsSettings


async def serve(configuration: Configuration, stop: asyncio.Event) -> None:
    """Produce to Kafka until ``stop`` is set or the timetable ends, with an ops server.

    Raises:
        TransientError: Kafka can't be reached or did not take the samples.
    """
    ops = configuration.ops
    log = configure("simulator", ops.log_level)
    registry, health = build_registry("simulator"), Health("kafka")
    metrics = SimulatorMetrics(registry)

    def report(records: int, samples: int, tick: Tick) -> None:
        metrics.records.inc(records)
        metrics.samples.inc(samples)
        metrics.event_time.set(tick.time_s)
        health.set("kafka", holds=True)
        health.beat()

    with OpsServer(registry, health, ops.host, ops.port) as server:
        log.info("ops server answers", extra={"port": server.port})
        await produce(configuration.simulator, configuration.kafka, stop, report)
    log.info("stopped")


async def produce(settings: SimulatorSettings, kafka: KafkaSettings, stop: asyncio.Event, report: Report) -> None:
    """Simulate into Kafka; scenarios can be switched by command meanwhile."""
    fleet = make_fleet(settings.servers, settings.seed)
    await provision(kafka, (METRICS, SIMULATION, COMMANDS))
    producer = build_producer(kafka, "argus-simulator")
    sink = KafkaSink(producer, kafka, _renderer(settings, fleet), settings.fleet, settings.truth)
    try:
        await producer.start()
        async with _listening(kafka) as switch:
            await play(settings, fleet, sink, switch, stop, report)
    except KafkaError as error:
        raise TransientError(f"Kafka at {kafka.bootstrap_servers}: {error}") from error
    finally:
        await producer.stop()


async def write(settings: SimulatorSettings, file: Path, stop: asyncio.Event, report: Report) -> None:
    """Simulate into a file.

    Raises:
        ConfigurationError: the file's suffix is neither .parquet nor .ndjson, or it can't be created.
        TransientError: it could be created, but not written to the end.
    """
    fleet = make_fleet(settings.servers, settings.seed)
    try:
        sink = _file_sink(settings, fleet, file)
    except OSError as error:
        raise ConfigurationError(f"--out {file}: {error}") from error
    try:
        await play(settings, fleet, sink, NoSwitch(), stop, report)
    except OSError as error:
        raise TransientError(f"can't go on writing {file}: {error}") from error


def _file_sink(settings: SimulatorSettings, fleet: Fleet, file: Path) -> Sink:
    if file.suffix == ".parquet":
        return ParquetSink(file, fleet, settings.fleet, settings.truth)
    if file.suffix == ".ndjson":
        return NdjsonSink(file, _renderer(settings, fleet), settings.truth)
    raise ConfigurationError(f"--out {file}: expected a .parquet or .ndjson file")


def _renderer(settings: SimulatorSettings, fleet: Fleet) -> Renderer:
    return Renderer(fleet, settings.fleet, settings.form)


async def play(
    settings: SimulatorSettings, fleet: Fleet, sink: Sink, switch: Switch, stop: asyncio.Event, report: Report
) -> None:
    """Run the simulation of these settings into ``sink``."""
    start = settings.start or datetime.now(UTC)
    start_s = (start if start.tzinfo else start.replace(tzinfo=UTC)).timestamp()
    timetable = Timetable(
        start_s // 1, settings.history, settings.history_interval, settings.interval, settings.duration, settings.speed
    )
    simulation = Simulation(fleet, settings.seed, timetable.first_s())
    defects = Defects(settings.missing, settings.doubled, settings.delayed, settings.skewed)
    player = Player(simulation, Transport(defects, len(fleet), settings.seed), sink, switch, SystemClock())
    await player.play(timetable, settings.scenario, stop, report)


@contextlib.asynccontextmanager
async def _listening(kafka: KafkaSettings) -> AsyncIterator[Switch]:
    switch = KafkaSwitch(build_consumer(kafka, kafka.topic(COMMANDS.name), group=None, client_id="argus-simulator"))
    task = asyncio.create_task(switch.listen())
    try:
        yield switch
    finally:
        task.cancel()
        try:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        finally:
            await switch.stop()
