"""``argus forecast``: batch forecasts of a recorded trace from chosen origins."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import numpy as np
import polars as pl
import typer
from rich.console import Console

from argus_cli.models_option import open_forecaster
from argus_cli.progress import bars
from argus_cli.trace_frame import Selection, read_trace, with_derived
from argus_common.errors import ConfigurationError
from argus_common.metrics import DEFAULT_CATALOGUE
from argus_forecasting.batch import Origins, Request, described, forecasts
from argus_forecasting.forecaster import WITHIN_MINUTES, ForecastBatch, Forecaster
from argus_forecasting.grid import Grid, infer_step
from argus_forecasting.trace_store import IDENTITY, TraceStore

console = Console(stderr=True)

Frames = list[pl.DataFrame]


def forecast(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="Parquet or CSV, wide or long.")],
    out: Annotated[Path, typer.Option(dir_okay=False, help="Parquet file for the quantiles.")],
    horizon: Annotated[int, typer.Option(min=1, help="Steps to forecast.")] = 96,
    origins: Annotated[
        Path | None, typer.Option(exists=True, help="Parquet with server, metric, timestamp (last step known).")
    ] = None,
    every: Annotated[int | None, typer.Option(min=1, help="In place of --origins: one origin every K steps.")] = None,
    quantiles: Annotated[
        str, typer.Option(help="Levels, separated by commas.")
    ] = "0.1,0.2,0.3,0.4,0.5,0.6,0.7,0.8,0.9",
    model: Annotated[
        Path | None, typer.Option(exists=True, file_okay=False, help="Folder of a model version (argus train).")
    ] = None,
    statistical: Annotated[bool, typer.Option("--statistical", help="Use the statistical forecaster.")] = False,
    step: Annotated[int | None, typer.Option(min=1, help="Seconds per step; inferred by default.")] = None,
    limit: Annotated[
        list[str] | None, typer.Option(metavar="METRIC=VALUE", help="Where a metric hurts; repeatable.")
    ] = None,
    breaches: Annotated[
        Path | None, typer.Option(dir_okay=False, help="Parquet file for breach probabilities.")
    ] = None,
) -> None:
    """Forecast a recorded trace; nothing after an origin is looked at.

    OUT has server, metric, origin, lead, q0.1 … ; BREACHES has server, metric, origin, within_minutes, probability,
    ttt_p10, ttt_p50, ttt_p90 (minutes, null = not within the horizon).

    Example: argus forecast week.parquet --every 12 --out forecast.parquet --limit cpu_used_pct=90 --breaches b.parquet
    """
    if (origins is None) == (every is None):
        raise ConfigurationError("give either --origins FILE or --every K")
    request = Request(horizon, parse_levels(quantiles), parse_limits(limit or []))
    with console.status(f"Reading {file} ..."):
        rows = with_derived(read_trace(file, Selection()), DEFAULT_CATALOGUE)
    step_seconds = step or infer_step(rows)
    wanted = _given(origins) if origins else _regular(rows, every or 1, step_seconds)
    forecaster = open_forecaster(model, statistical=statistical)
    quantile_frames, breach_frames = _forecast_all(forecaster, rows, wanted, step_seconds, request)
    pl.concat(quantile_frames).write_parquet(out)
    console.print(f"Wrote {sum(f.height for f in quantile_frames):,} rows to {out}.")
    if breaches is not None:
        if not breach_frames:
            raise ConfigurationError("--breaches needs a metric with a limit: give --limit METRIC=VALUE")
        pl.concat(breach_frames).write_parquet(breaches)


def _forecast_all(
    forecaster: Forecaster, rows: pl.DataFrame, wanted: pl.DataFrame, step_seconds: int, request: Request
) -> tuple[Frames, Frames]:
    store = TraceStore.of(rows, step_seconds)
    quantile_frames: Frames = []
    breach_frames: Frames = []
    with bars(console) as progress:
        task = progress.add_task("forecasting", total=wanted.height, unit="origins")
        for (name,), part in wanted.group_by("metric", maintain_order=True):
            metric = str(name)
            values = store.grid(metric)
            windows, stamps = _windows(values, part)
            what = described(metric, DEFAULT_CATALOGUE, request)
            done = 0
            for origins, result in forecasts(forecaster, values, windows, what, request):
                at = stamps[done : done + len(origins)]
                done += len(origins)
                quantile_frames.append(_quantile_frame(values, metric, origins, at, result))
                if what.limit is not None:
                    breach_frames.append(_breach_frame(values, metric, origins, at, result))
                progress.advance(task, len(origins))
    return quantile_frames, breach_frames


def _windows(values: Grid, part: pl.DataFrame) -> tuple[Origins, pl.Series]:
    numbers = {server: i for i, server in enumerate(values.servers)}
    unknown = sorted(set(part["server"].to_list()) - set(numbers))
    if unknown:
        raise ConfigurationError(f"--origins names servers that the trace lacks: {', '.join(unknown[:5])}")
    server = part["server"].replace_strict(numbers, return_dtype=pl.Int64).to_numpy()
    steps = part["timestamp"].dt.epoch("s").to_numpy() // values.step_seconds
    return Origins(server, steps - values.first_step), part["timestamp"]


def _given(file: Path) -> pl.DataFrame:
    frame = pl.read_parquet(file)
    missing = {"server", "metric", "timestamp"} - set(frame.columns)
    if missing:
        raise ConfigurationError(f"{file}: no column {', '.join(sorted(missing))}")
    return frame.select("server", "metric", "timestamp")


def _regular(rows: pl.DataFrame, every: int, step_seconds: int) -> pl.DataFrame:
    """Every ``every``-th step of each server from its second day, or its second half if it is shorter, on."""
    day = min(86_400 // step_seconds, rows["timestamp"].n_unique() // 2)
    ms = step_seconds * 1000
    first, last = int(rows["timestamp"].min()), int(rows["timestamp"].max())  # type: ignore[arg-type]
    times = pl.DataFrame({"timestamp": np.arange(first // ms + day, last // ms + 1, every) * ms})
    times = times.with_columns(pl.col("timestamp").cast(pl.Datetime("ms")))
    servers = rows.select(pl.col("server").unique().sort())
    metrics = pl.DataFrame({"metric": _metrics(rows)})
    return servers.join(metrics, how="cross").join(times, how="cross")


def _metrics(rows: pl.DataFrame) -> list[str]:
    return [name for name, kind in rows.schema.items() if kind.is_numeric() and name not in IDENTITY]


def _quantile_frame(
    values: Grid, metric: str, origins: Origins, stamps: pl.Series, result: ForecastBatch
) -> pl.DataFrame:
    count, horizon = result.quantiles.shape[:2]
    index = np.repeat(np.arange(count), horizon)
    flat = result.quantiles.reshape(count * horizon, -1)
    return pl.DataFrame(
        {
            "server": pl.Series(np.array(values.servers, object)[origins.server[index]].tolist(), dtype=pl.String),
            "metric": pl.Series([metric] * len(index), dtype=pl.String),
            "origin": stamps.gather(index),
            "lead": np.tile(np.arange(1, horizon + 1), count),
            **{f"q{level:g}": flat[:, i] for i, level in enumerate(result.quantile_levels)},
        }
    )


def _breach_frame(
    values: Grid, metric: str, origins: Origins, stamps: pl.Series, result: ForecastBatch
) -> pl.DataFrame:
    count, spans = result.breach_probability.shape
    index = np.repeat(np.arange(count), spans)
    times = {
        f"ttt_p{p}": pl.Series(result.time_to_threshold[index, i]).fill_nan(None) for i, p in enumerate((10, 50, 90))
    }
    return pl.DataFrame(
        {
            "server": pl.Series(np.array(values.servers, object)[origins.server[index]].tolist(), dtype=pl.String),
            "metric": pl.Series([metric] * len(index), dtype=pl.String),
            "origin": stamps.gather(index),
            "within_minutes": np.tile(np.array(WITHIN_MINUTES), count),
            "probability": result.breach_probability.reshape(-1),
            **times,
        }
    )


def parse_levels(text: str) -> tuple[float, ...]:
    """Quantile levels from text such as ``0.1,0.5,0.9``.

    Raises:
        ConfigurationError: it holds something else.
    """
    try:
        levels = tuple(sorted({float(part) for part in text.split(",")}))
    except ValueError:
        levels = ()
    if not levels or not 0 < levels[0] <= levels[-1] < 1:
        raise ConfigurationError(f"--quantiles {text!r}: expected numbers between 0 and 1, separated by commas")
    return levels


def parse_limits(pairs: list[str]) -> Mapping[str, float]:
    """Limits from texts such as ``cpu_used_pct=90``.

    Raises:
        ConfigurationError: one holds something else.
    """
    limits = {}
    for pair in pairs:
        metric, _, value = pair.partition("=")
        try:
            limits[metric] = float(value)
        except ValueError:
            raise ConfigurationError(f"--limit {pair!r}: expected METRIC=VALUE") from None
    return limits
