"""Where the demo's samples come from: the simulator, or a recorded trace."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import polars as pl
import yaml

from argus_cli.demo.site import DemoSite
from argus_cli.trace_frame import IDENTITY, Selection, read_trace
from argus_common.errors import ConfigurationError
from argus_common.metrics import DEFAULT_CATALOGUE
from argus_common.ring.layout import DEFAULT_STEPS
from argus_simulator.domain.fleet import make_fleet

SPEED = 120
"""Event seconds per second: a five-minute step every two and a half seconds."""
STEP_SECONDS = 300
HISTORY = timedelta(seconds=DEFAULT_STEPS * STEP_SECONDS)
HOUR = timedelta(hours=1)
COMMAND_MODULE = "argus_cli.main"
SPARE_SECONDS = 60
"""The simulator plays on for so long after the demo has ended, so that it never ends first."""


class Feed(Protocol):
    """Produces samples: first the past, as fast as it goes, then the present at the demo's speed."""

    servers: int

    def settings(self, folder: Path) -> Mapping[str, str]:
        """What the services must be told to understand it."""
        ...

    def fill(self, site: DemoSite) -> None:
        """Start producing the past, in a process called ``fill``."""
        ...

    def play(self, site: DemoSite) -> None:
        """Start producing the present, in a process called ``feed``."""
        ...


@dataclass(slots=True)
class TraceFeed:
    """A recorded trace at its own event times: the end of it plays, what was before fills."""

    file: Path
    servers: int
    seconds: float
    rename: tuple[str, ...] = ()
    _cut: datetime | None = field(default=None, init=False)

    def settings(self, folder: Path) -> Mapping[str, str]:
        """A metric catalogue with the trace's own metrics as targets."""
        rows = read_trace(self.file, Selection(_pairs(self.rename), servers=self.servers))
        names = [name for name, kind in rows.schema.items() if kind.is_numeric() and name not in IDENTITY]
        last = datetime.fromtimestamp(int(rows["timestamp"].max()) / 1000, UTC)  # type: ignore[arg-type]
        self._cut = last - timedelta(seconds=self.seconds * SPEED)
        self.servers = rows["server"].n_unique()
        catalogue = folder / "trace-metrics.yaml"
        catalogue.write_text(yaml.safe_dump({"metrics": _as_targets(names, rows)}))
        ahead = max(timedelta(0), last - datetime.now(UTC)) + HOUR  # a trace may have been made for days to come
        return {
            "ARGUS_INGEST_METRIC_CATALOGUE": str(catalogue),
            "ARGUS_INFERENCE_METRIC_CATALOGUE": str(catalogue),
            "ARGUS_INGEST_MAX_FUTURE_SKEW": f"{ahead.total_seconds():.0f}",
        }

    def fill(self, site: DemoSite) -> None:
        """Everything before the cut, no more than the rings hold."""
        cut = self._known_cut()
        self._replay(site, "fill", "max", begin=cut - HISTORY, until=cut)

    def play(self, site: DemoSite) -> None:
        """The rest."""
        self._replay(site, "feed", str(SPEED), begin=self._known_cut())

    def _known_cut(self) -> datetime:
        if self._cut is None:
            raise ConfigurationError("the trace was not looked at yet")
        return self._cut

    def _replay(self, site: DemoSite, name: str, speed: str, *, begin: datetime, until: datetime | None = None) -> None:
        arguments = ["replay", str(self.file.absolute()), "--speed", speed, "--servers", str(self.servers)]
        arguments += ["--from", _text(begin)] + (["--until", _text(until)] if until else [])
        for pair in self.rename:
            arguments += ["--rename", pair]
        site.start(name, COMMAND_MODULE, *arguments, serves=False)


@dataclass(slots=True)
class SimulatedFeed:
    """A simulated fleet that is well at first; ``degrade`` changes that while it runs."""

    servers: int
    seconds: float
    seed: int = 7

    def settings(self, folder: Path) -> Mapping[str, str]:
        """Which server uses which."""
        fleet = make_fleet(self.servers, self.seed)
        edges = [[fleet.names[edge.downstream], fleet.names[edge.upstream]] for edge in fleet.edges]
        topology = folder / "topology.yaml"
        topology.write_text(yaml.safe_dump({"edges": [{"source": one, "target": other} for one, other in edges]}))
        return {"ARGUS_CASCADE_TOPOLOGY": str(topology)}

    def fill(self, site: DemoSite) -> None:
        """The past comes from the same process as the present: `play` waits for nothing else."""
        begin = datetime.now(UTC) - timedelta(seconds=(self.seconds + SPARE_SECONDS) * SPEED)  # it never overtakes us
        arguments = ["simulate", "--servers", str(self.servers), "--seed", str(self.seed), "--start", _text(begin)]
        arguments += ["--history", f"{DEFAULT_STEPS * STEP_SECONDS}", "--history-interval", str(STEP_SECONDS)]
        arguments += ["--interval", "30", "--speed", str(SPEED), "--scenario", "healthy"]
        arguments += [
            "--duration",
            f"{(self.seconds + SPARE_SECONDS) * SPEED:.0f}",
            "--truth",
            str(site.folder / "truth.ndjson"),
        ]
        site.start("feed", COMMAND_MODULE, *arguments, serves=False)

    def play(self, site: DemoSite) -> None:
        """It plays on by itself after the past."""
        del site


def _as_targets(names: list[str], rows: pl.DataFrame) -> dict[str, dict[str, object]]:
    """Catalogue entries that make the trace's metrics targets and no others.

    Raises:
        ConfigurationError: a name can't be a metric's.
    """
    entries: dict[str, dict[str, object]] = {m.name: {"target": False} for m in DEFAULT_CATALOGUE.targets()}
    for name in names:
        entry: dict[str, object] = {"target": True, "derived": None}
        if name not in DEFAULT_CATALOGUE and (rows[name].min() or 0) >= 0:  # type: ignore[operator]
            entry["lower"] = 0.0
        entries[name] = entry
    return entries


def _pairs(rename: tuple[str, ...]) -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in rename)


def _text(moment: datetime | None) -> str:
    return "" if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%S")
