"""``argus models``: what lies in a model store, whether it can be trusted, and which version serves."""

import asyncio
import getpass
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table

from argus_cli.model_history import row as history_row
from argus_cli.promotion_topic import events_now, publish, send, told_of
from argus_common.clock import SystemClock
from argus_common.errors import ArgusError, ConfigurationError, ModelUnavailableError
from argus_common.events import RetrainRequested, TrainingCancelRequested
from argus_common.lineage import ModelEvent, lineage
from argus_common.settings import KafkaSettings, load
from argus_common.topics import COMMANDS
from argus_forecasting.trained.artefact import load as load_version
from argus_forecasting.trained.artefact import load_from, read_manifest, require_unaltered
from argus_forecasting.trained.promotion import Said, promotion, ratios, rollback
from argus_forecasting.trained.store import CARD, ModelStore

app = typer.Typer(no_args_is_help=True, add_completion=False, help="What lies in a model store, and what serves.")
console = Console()

Store = Annotated[Path, typer.Option("--models", file_okay=False, help="The model store.")]
Version = Annotated[Path, typer.Argument(exists=True, file_okay=False, help="Folder: models/NAME/VERSION.")]
Name = Annotated[str, typer.Argument(help="Of the model.")]
Reason = Annotated[str, typer.Option(help="Why, for whoever reads the topic later.")]


@app.command("list")
def list_versions(models: Store = Path("models")) -> None:
    """Every version, newest first, and which one of each name serves where a broker can be reached.

    Example: argus models list --models models
    """
    places = list(ModelStore(models).places())
    if not places:
        raise ModelUnavailableError(f"{models}: no model version; make one with argus train")
    events, note = _events_or_note()
    served = {name: lineage(events, name)[-1:] for name in {place.parent.name for place in places}}
    table = Table()
    for column in ("model", "version", "created", "family", "step", "horizon", "targets", "WQL to statistical"):
        table.add_column(column)
    rows = [_summary(place, serves=served[place.parent.name] == (place.name,)) for place in places]
    for row in sorted(rows, key=lambda row: row[2], reverse=True):
        table.add_row(*row)
    console.print(table)
    if note:
        console.print(note, style="dim", markup=False, highlight=False)


@app.command()
def show(version: Version) -> None:
    """A version's card.

    Example: argus models show models/argus/1
    """
    read_manifest(version)
    console.print(Markdown((version / CARD).read_text()))


@app.command()
def verify(version: Version) -> None:
    """Check size, sha256 and tensors of a version, as serving does, and its card; exit code 1 where one is wrong.

    Example: argus models verify models/argus/1
    """
    manifest, network = load_version(version)
    require_unaltered(version, manifest)
    count = sum(parameter.numel() for parameter in network.parameters())
    console.print(f"[green]{manifest.name} {manifest.version} can be trusted[/]: {count:,} parameters")
    console.print(f"sha256 {manifest.weights_sha256}")


@app.command()
def promote(
    version: Annotated[str, typer.Argument(metavar="NAME/VERSION", help="As argus models list shows it.")],
    reason: Reason = "",
    models: Store = Path("models"),
) -> None:
    """Let a version serve: verify it, then tell every inference that follows its name, which swaps without a pause.

    Example: argus models promote fleet/2 --reason "trained on December"
    """
    name, number = _named(version)
    store = ModelStore(models)
    manifest, _ = load_from(store, name, number)
    kafka = load(KafkaSettings)
    served = lineage(asyncio.run(events_now(kafka)), name)
    event = promotion(store, manifest, served, _said(reason))
    _tell(kafka, event)
    before = "" if event.previous_version is None else f", {name} {event.previous_version} before it"
    console.print(f"[green]{name} {number} is promoted[/]{before}. Inference with {_follows(name)} serves it.")


@app.command("rollback")
def roll_back(
    name: Annotated[str, typer.Argument(help="Of the model.")],
    reason: Reason = "",
    models: Store = Path("models"),
) -> None:
    """Let the version before serve again, as the topic knows it; before the first one, what inference's settings name.

    Example: argus models rollback fleet --reason "worse on databases"
    """
    kafka, store = load(KafkaSettings), ModelStore(models)
    event = rollback(store, name, lineage(asyncio.run(events_now(kafka)), name), _said(reason))
    if event.version is not None:
        load_from(store, name, event.version)
    _tell(kafka, event)
    again = "what the settings name" if event.version is None else f"{name} {event.version}"
    console.print(
        f"[green]{name} {event.withdrawn_version} is rolled back.[/] Inference with {_follows(name)} serves {again}."
    )


@app.command()
def retrain(name: Name, reason: Reason = "") -> None:
    """Ask the retrainer for a new version; it trains under its rules (cool-down, quiet fleet, enough data).

    Example: argus models retrain fleet --reason "new release of the shop"
    """
    _ask(RetrainRequested(model=name, requested_ms=SystemClock().now_ms(), by=getpass.getuser(), reason=reason))
    console.print(f"Asked the retrainer for a version of {name}. argus models history {name} shows what comes of it.")


@app.command()
def cancel(name: Name, reason: Reason = "") -> None:
    """End the training that runs, without a version.

    Example: argus models cancel fleet --reason "the archive is being mended"
    """
    asked = TrainingCancelRequested(
        model=name, requested_ms=SystemClock().now_ms(), by=getpass.getuser(), reason=reason
    )
    _ask(asked)
    console.print(f"Asked the retrainer to end the training of {name}.")


@app.command()
def history(name: Name) -> None:
    """How its versions came about: trainings, gates, promotions, rollbacks, and causes that were refused.

    Example: argus models history fleet
    """
    events = asyncio.run(told_of(load(KafkaSettings), name))
    if not events:
        raise ConfigurationError(f"nothing was ever told of a model {name}: see argus models list")
    table = Table()
    for column in ("when", "version", "what", "why"):
        table.add_column(column)
    for event in events:
        table.add_row(*history_row(event))
    console.print(table)


def _ask(command: RetrainRequested | TrainingCancelRequested) -> None:
    asyncio.run(send(load(KafkaSettings), COMMANDS.name, command))


def _tell(kafka: KafkaSettings, event: ModelEvent) -> None:
    asyncio.run(publish(kafka, event))


def _named(version: str) -> tuple[str, str]:
    name, slash, number = version.partition("/")
    if not slash:
        raise ConfigurationError(f"{version!r} is not NAME/VERSION, such as fleet/2: see argus models list")
    return name, number


def _said(reason: str) -> Said:
    return Said(reason, getpass.getuser(), SystemClock().now_ms())


def _follows(name: str) -> str:
    return f"ARGUS_INFERENCE_MODEL_NAME={name}"


def _events_or_note() -> tuple[list[ModelEvent], str]:
    """What the models topic says, or why nobody knows what serves."""
    try:
        return asyncio.run(events_now(load(KafkaSettings))), ""
    except ArgusError as error:
        return [], f"Which version serves is not known: {error}"


def _summary(place: Path, *, serves: bool) -> tuple[str, ...]:
    version = f"{place.name} [green]serves[/]" if serves else place.name
    try:
        manifest = read_manifest(place)
    except ArgusError as error:
        return place.parent.name, version, "", "", "", "", "", f"[red]{error}[/]"
    schema = manifest.schema
    return (
        manifest.name,
        version,
        manifest.created,
        manifest.network.family,
        f"{schema.step_seconds} s",
        f"{schema.horizon}",
        ", ".join(schema.targets),
        ", ".join(f"{ratio:.2f}" for ratio in ratios(manifest).values()),
    )
