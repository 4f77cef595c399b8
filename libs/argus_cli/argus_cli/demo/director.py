"""Runs the demo's acts in order, and keeps the screen up to date."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from argus_cli.alerts.board import KINDS as ALERT_KINDS
from argus_cli.cascades.board import KINDS as CASCADE_KINDS
from argus_cli.demo.feeds import Feed, SimulatedFeed
from argus_cli.demo.fleet_state import FleetState
from argus_cli.demo.site import DemoSite
from argus_cli.demo.summary import show_summary
from argus_cli.demo.view import Pulse, render
from argus_common.errors import ArgusError, MalformedEventError, TransientError
from argus_common.events import ForecastIssued, Record, ScenarioRequested, decode, decode_any, encode
from argus_common.kafka import build_consumer
from argus_common.kafka.outbox import Outbox
from argus_common.ring.layout import DEFAULT_STEPS
from argus_common.topics import ALERTS, CASCADES, COMMANDS, PREDICTIONS

REFRESH_SECONDS = 0.5
PULSE_SECONDS = 1.0
CALM_SHARE = 0.2
"""Of the demo's time before something goes wrong, a minute at most."""
CALM_SECONDS = 60.0
SCENARIO = "degrading"
NEARLY_ALL = 0.97
SERVICES = ("ingest", "inference", "cascade", "drift")


class Director:
    """Owns the acts: set-up, the past, the present, the summary."""

    def __init__(self, site: DemoSite, feed: Feed, console: Console, *, seconds: float, began: float) -> None:
        self._site, self._feed, self._console = site, feed, console
        self._seconds, self._began = seconds, began
        self._state, self._pulse = FleetState(), Pulse()
        self._polled = self._closed = 0.0

    @contextmanager
    def telling(self, what: str) -> Iterator[None]:
        """Show a spinner while something is done, and how long it took."""
        begin = time.monotonic()
        with self._console.status(f"{what} ..."):
            yield
        self._console.print(f"[green]✓[/] {what} [dim]{time.monotonic() - begin:.1f} s[/]")

    def run(self) -> None:
        """Everything from the topics on; returns when the time is up.

        Raises:
            TransientError: a service ended; the text has the end of its log.
        """
        with self.telling(f"Creating topics, starting {', '.join(SERVICES)}"):
            self._site.create_topics()
            for name in SERVICES:
                self._site.start(name, f"argus_{name}")
            self._feed.fill(self._site)  # it takes as long to start as they do
            for name in SERVICES:
                self._site.wait_ready(name)
        asyncio.run(self._watch())

    def sum_up(self) -> None:
        """Print the summary, if anything was forecast."""
        if self._state.latest:
            show_summary(self._console, self._state, self._pulse)

    async def _watch(self) -> None:
        topics = (PREDICTIONS.name, ALERTS.name, CASCADES.name)
        consumer = build_consumer(self._site.kafka, *topics, group=None, client_id="argus-demo")
        await consumer.start()
        try:
            with self._filling() as progress:
                await self._until_forecast(consumer, progress)
            self._console.print(
                f"[green]✓[/] First forecast of every server on screen [dim]{time.monotonic() - self._began:.1f} s "
                "after the start[/]"
            )
            self._feed.play(self._site)
            await self._present(consumer)
        finally:
            await consumer.stop()

    def _filling(self) -> Progress:
        return Progress(
            TextColumn("  {task.description}"), BarColumn(), TextColumn("{task.fields[detail]}"), TimeElapsedColumn(),
            console=self._console, transient=True,
        )  # fmt: skip

    async def _until_forecast(self, consumer: object, progress: Progress) -> None:
        """Return when the past has flowed through and every server has a forecast from its end."""
        task = progress.add_task(
            "Eight days of the fleet's past through Kafka, ingest and Redis", total=self._windows(), detail=""
        )
        while True:
            await self._take(consumer)
            self._look()
            series = self._site.series("ingest")
            closed = series.get("argus_ingest_windows_total", 0.0)
            progress.update(task, completed=closed, detail=f"{self._pulse.samples:,.0f} samples")
            if self._state.latest and self._caught_up(closed):
                return

    def _caught_up(self, closed: float) -> bool:
        """Whether the past is through. Its producer has ended and nothing closes any more; or, where the same process
        goes on with the present, nearly all of the past was seen.
        """
        producer = self._site.services.get("fill")
        still, self._closed = closed == self._closed, closed
        if self._pulse.lag > 10 * self._feed.servers:
            return False
        return (still and not producer.running) if producer else closed >= NEARLY_ALL * self._windows()

    def _windows(self) -> int:
        return self._feed.servers * DEFAULT_STEPS

    async def _present(self, consumer: object) -> None:
        self._state.watch()
        begin, wrong = time.monotonic(), False
        calm = min(CALM_SHARE * self._seconds, CALM_SECONDS)
        self._pulse.phase = "all is well"
        with Live(render(self._state, self._pulse), console=self._console, refresh_per_second=4) as live:
            while (elapsed := time.monotonic() - begin) < self._seconds:
                await self._take(consumer)
                self._look()
                self._pulse.seconds = elapsed
                if not wrong and elapsed > calm and isinstance(self._feed, SimulatedFeed):
                    wrong = True
                    await self._request_scenario()
                    self._pulse.phase = f"scenario: {SCENARIO}"
                live.update(render(self._state, self._pulse))
        if not self._console.is_terminal:
            self._console.print()  # only a terminal's view ends with its line

    async def _take(self, consumer: object) -> None:
        """Fold in what is on the topics of predictions, alerts and cascades."""
        batches = await consumer.getmany(timeout_ms=round(REFRESH_SECONDS * 1000))  # type: ignore[attr-defined]
        for record in (record for records in batches.values() for record in records):
            try:
                if record.topic == ALERTS.name:
                    self._state.hear(decode_any(ALERT_KINDS, record))
                elif record.topic == CASCADES.name:
                    self._state.spread(decode_any(CASCADE_KINDS, record))
                else:
                    self._state.add(decode(ForecastIssued, record))
            except MalformedEventError as error:
                self._pulse.notes = [str(error)]

    def _look(self) -> None:
        """Ask the services how they do, now and then."""
        now = time.monotonic()
        if now - self._polled < PULSE_SECONDS:
            return
        if (ended := self._site.failed()) is not None:
            raise TransientError(f"{ended} ended:\n{self._site.services[ended].log_tail()}")
        ingest, inference = self._site.series("ingest"), self._site.series("inference")
        samples = ingest.get("argus_ingest_samples_total", self._pulse.samples)
        self._pulse.samples_per_second = (samples - self._pulse.samples) / (now - self._polled) if self._polled else 0.0
        self._pulse.samples, self._polled = samples, now
        self._pulse.lag = sum(value for name, value in ingest.items() if name.startswith("argus_ingest_lag_records{"))
        self._pulse.forecasts = inference.get("argus_inference_forecasts_total", 0.0)
        batches = inference.get("argus_inference_batch_duration_seconds_count", 0.0)
        if batches:
            self._pulse.batch_seconds = inference["argus_inference_batch_duration_seconds_sum"] / batches

    async def _request_scenario(self) -> None:
        event = ScenarioRequested(scenario=SCENARIO, requested_ms=time.time_ns() // 1_000_000)
        record = encode(event, "/argus/demo")
        outbox = Outbox(self._site.kafka, "argus-demo")
        try:
            await outbox.start()
            await outbox.send(COMMANDS.name, [Record(record.key, record.value, record.headers)])
        except ArgusError as error:
            self._pulse.notes = [str(error)]
        finally:
            await outbox.stop()
