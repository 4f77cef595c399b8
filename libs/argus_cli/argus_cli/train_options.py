"""The options of ``argus train``, as they are typed."""

from pathlib import Path
from typing import Annotated

import typer

File = Annotated[Path, typer.Argument(exists=True, help="Parquet, a folder of Parquet files, or CSV.")]
Models = Annotated[Path, typer.Option(file_okay=False, help="The model store to write into.")]
Name = Annotated[str, typer.Option(help="Name of the model.")]
Version = Annotated[str | None, typer.Option(help="Its version; the time of day by default.")]
Target = Annotated[
    list[str] | None, typer.Option(help="Metric to forecast; repeatable. The catalogue's targets by default.")
]
Family = Annotated[str, typer.Option(help="residual (fast, the default) or tft.")]
Preset = Annotated[str, typer.Option(help="small (two CPU cores, under an hour) or large (a GPU).")]
Horizon = Annotated[int | None, typer.Option(min=2, help="Steps that the model forecasts; 96, or the warm start's.")]
Steps = Annotated[int | None, typer.Option(min=1, help="Optimiser steps, in place of the preset's.")]
Seed = Annotated[int, typer.Option(min=0, help="The same seed and data give the same model.")]
WarmStart = Annotated[
    Path | None, typer.Option(exists=True, file_okay=False, help="Folder of a version to train further.")
]
Exclude = Annotated[
    Path | None, typer.Option(exists=True, help="Parquet with server, begin, end: spans not to learn from.")
]
Validation = Annotated[float, typer.Option(min=0.01, max=0.5, help="Share of the span to validate on.")]
Test = Annotated[float, typer.Option(min=0.0, max=0.5, help="Share at the end that is left untouched.")]
Step = Annotated[int | None, typer.Option(min=1, help="Seconds per step; inferred by default.")]
Work = Annotated[Path | None, typer.Option(file_okay=False, help="Folder for the checkpoint: run again to go on.")]
Notes = Annotated[
    Path | None, typer.Option(exists=True, dir_okay=False, help="Markdown for the card: whose data, its licence.")
]
Accelerator = Annotated[str | None, typer.Option(help="Lightning's: cpu, cuda, mps. What is here by default.")]
Devices = Annotated[int | None, typer.Option(min=1, help="Lightning's: how many of them. All by default.")]
Strategy = Annotated[str, typer.Option(help="Lightning's: ddp, ddp_spawn, fsdp …")]
Precision = Annotated[
    str | None, typer.Option(help="Lightning's: 32-true, bf16-mixed … What suits the device by default.")
]
