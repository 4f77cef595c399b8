"""``argus models``: what lies in a model store, and whether it can be trusted."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markdown import Markdown
from rich.table import Table

from argus_common.errors import ModelUnavailableError
from argus_forecasting.trained.artefact import CARD, MANIFEST, Manifest, load, read_manifest, require_unaltered

app = typer.Typer(no_args_is_help=True, add_completion=False, help="What lies in a model store.")
console = Console()

Store = Annotated[Path, typer.Option("--models", file_okay=False, help="The model store.")]
Version = Annotated[Path, typer.Argument(exists=True, file_okay=False, help="Folder: models/NAME/VERSION.")]


@app.command("list")
def list_versions(models: Store = Path("models")) -> None:
    """Every version, newest first.

    Example: argus models list --models models
    """
    table = Table()
    for column in ("model", "version", "created", "family", "step", "horizon", "targets", "WQL to statistical"):
        table.add_column(column)
    rows = (_summary(file.parent) for file in models.glob(f"*/*/{MANIFEST}"))
    found = sorted(rows, key=lambda row: row[2], reverse=True)
    for row in found:
        table.add_row(*row)
    if not found:
        raise ModelUnavailableError(f"{models}: no model version; make one with argus train")
    console.print(table)


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
    manifest, network = load(version)
    require_unaltered(version, manifest)
    count = sum(parameter.numel() for parameter in network.parameters())
    console.print(f"[green]{manifest.name} {manifest.version} can be trusted[/]: {count:,} parameters")
    console.print(f"sha256 {manifest.weights_sha256}")


def _summary(place: Path) -> tuple[str, ...]:
    try:
        manifest = read_manifest(place)
    except ModelUnavailableError as error:
        return place.parent.name, place.name, "", "", "", "", "", f"[red]{error}[/]"
    schema = manifest.schema
    return (
        manifest.name,
        manifest.version,
        manifest.created,
        manifest.network.family,
        f"{schema.step_seconds} s",
        f"{schema.horizon}",
        ", ".join(schema.targets),
        _ratios(manifest),
    )


def _ratios(manifest: Manifest) -> str:
    """WQL of the model over that of the statistical forecaster, per target, on the validation part."""
    scores = [manifest.scores[target] for target in manifest.schema.targets if target in manifest.scores]
    return ", ".join(f"{one['model']['wql'] / max(one['statistical']['wql'], 1e-12):.2f}" for one in scores)
