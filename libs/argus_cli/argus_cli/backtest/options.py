"""The options of ``argus backtest``, as they are typed."""

from pathlib import Path
from typing import Annotated

import typer

File = Annotated[Path, typer.Argument(exists=True, help="Parquet, a folder of Parquet files, or CSV.")]
Metric = Annotated[list[str] | None, typer.Option(help="Only this metric; repeatable. All by default.")]
Horizon = Annotated[int, typer.Option(min=1, help="Steps to forecast.")]
Every = Annotated[int, typer.Option(min=1, help="One origin every K steps.")]
Model = Annotated[
    Path | None, typer.Option(exists=True, file_okay=False, help="Folder of a model version (argus train).")
]
Statistical = Annotated[bool, typer.Option("--statistical", help="Score the statistical forecaster alone.")]
RetrainEvery = Annotated[
    int | None, typer.Option(min=1, metavar="DAYS", help="Train a model anew every so many days, and score it.")
]
RetrainSteps = Annotated[int, typer.Option(min=1, help="Optimiser steps of each of these trainings.")]
Warnings = Annotated[
    bool, typer.Option("--warnings", help="Score warnings of breaches too: an origin every 15 minutes.")
]
Quantiles = Annotated[str, typer.Option(help="Levels, separated by commas.")]
Step = Annotated[int | None, typer.Option(min=1, help="Seconds per step; inferred by default.")]
Limit = Annotated[list[str] | None, typer.Option(metavar="METRIC=VALUE", help="Where a metric hurts; repeatable.")]
Servers = Annotated[int | None, typer.Option(min=1, help="Only the first N servers by name.")]
Out = Annotated[Path | None, typer.Option(dir_okay=False, help="JSON file for all scores.")]
Plots = Annotated[Path | None, typer.Option(file_okay=False, help="Folder for PNG plots.")]
