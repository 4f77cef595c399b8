"""``python -m bench.trust TRACE``: what online correction does to bands, replayed step by step over a recorded trace.

Every step is an origin, as in serving: the forecasts that were made for it are scored, their bands learn, and the next
forecasts are corrected. Nothing after an origin is looked at. The first day of origins is not counted.
"""

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.table import Table

from argus_cli.forecast import parse_limits
from argus_cli.models_option import open_forecaster
from argus_cli.trace_frame import Selection, read_trace, with_derived
from argus_common.metrics import DEFAULT_CATALOGUE
from argus_forecasting.batch import Origins, Request, described, series
from argus_forecasting.forecaster import WITHIN_MINUTES, Bands, Floats, Forecaster, Trust
from argus_forecasting.grid import Grid, infer_step
from argus_forecasting.online.bands import learned, scored
from argus_forecasting.scores import brier_skill, pinball
from argus_forecasting.trace_store import IDENTITY, TraceStore

LEVELS = (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98)
LEADS = (1, 12, 96)
DAY = 288
ENOUGH = 300
"""Scored values of a server before its own coverage counts."""

Doubles = npt.NDArray[np.float64]


BREACHES_EVERY = 24
"""Origins between those whose breach probabilities are compared."""


@dataclass(frozen=True, slots=True)
class Replay:
    """``before``, ``after``: (server, origin, scored lead, level). ``came``: (server, origin, scored lead).
    ``breaches``: (before or after, event, within) probabilities. ``crossed``: (event, within).
    """

    before: Floats
    after: Floats
    came: Floats
    breaches: Floats
    crossed: npt.NDArray[np.bool_]


def replay(forecaster: Forecaster, grid: Grid, name: str, first: int, limits: dict[str, float]) -> Replay:
    """Serve one metric of a trace from column ``first`` on."""
    metric, servers = described(name, DEFAULT_CATALOGUE, Request(96, LEVELS, limits)), len(grid.servers)
    columns = np.arange(first, grid.values.shape[1])
    shape = (servers, len(columns), len(LEADS), len(LEVELS))
    before, after = np.full(shape, np.nan, np.float32), np.full(shape, np.nan, np.float32)
    bands = Bands(
        LEADS, np.zeros((servers, *shape[2:]), np.float32), np.full((servers, len(LEADS)), np.nan, np.float32)
    )
    chances, crossed = [np.empty((2, 0, len(WITHIN_MINUTES)))], [np.empty((0, len(WITHIN_MINUTES)), bool)]
    for i, column in enumerate(columns.tolist()):
        bands = _taught(bands, before, i, grid.values[:, column])
        origins = Origins(np.arange(servers), np.full(servers, column))
        batch = series(grid.histories(origins.server, origins.column, forecaster.history_steps), grid, origins, metric)
        made = forecaster.forecast(replace(batch, trust=Trust(bands, bands, np.zeros(servers, bool))), 96, LEVELS)
        if made.raw is not None:
            seen = np.isfinite(batch.values).any(axis=1)
            before[seen, i], after[seen, i] = made.raw[seen, 0], scored(made.quantiles, LEADS)[seen]
        if (
            limits
            and i >= DAY
            and i % BREACHES_EVERY == 0
            and (ahead := grid.values[:, column + 1 : column + 97]).shape[1] == 96
        ):
            calm = (batch.values[:, -1] < batch.limit) & np.isfinite(ahead).all(axis=1)
            plain = forecaster.forecast(batch, 96, LEVELS)
            chances.append(np.stack([one.breach_probability[calm] for one in (plain, made)]))
            crossed.append(np.maximum.accumulate(ahead[calm] >= batch.limit[calm, None], axis=1)[:, [2, 11, 47, 95]])
    ahead = columns[:, None] + np.array(LEADS)
    known = ahead < grid.values.shape[1]
    came = np.where(known, grid.values[:, np.where(known, ahead, 0)], np.float32(np.nan))
    return Replay(before, after, came, np.concatenate(chances, axis=1), np.concatenate(crossed))


def _taught(bands: Bands, before: Floats, i: int, value: Floats) -> Bands:
    due = np.stack([before[:, i - lead, k] if i >= lead else before[:, i, k] for k, lead in enumerate(LEADS)], axis=1)
    known = ~np.isnan(bands.usual)[..., None]
    fleet = np.where(known, bands.offset, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    return learned(bands, due, LEVELS, value, np.broadcast_to(fleet, bands.offset.shape).astype(np.float32))


def rows_of(done: Replay) -> list[list[str]]:
    """One row of the table per scored lead."""
    return [
        _row(done.before[:, DAY:, k], done.after[:, DAY:, k], done.came[:, DAY:, k], lead)
        for k, lead in enumerate(LEADS)
    ]


def _row(before: Floats, after: Floats, came: Floats, lead: int) -> list[str]:
    scored_at = np.isfinite(came) & np.isfinite(before[..., 0])
    counted = scored_at.sum(axis=1)
    enough = counted >= ENOUGH
    cells, losses = [str(lead)], []
    for made in (before, after):
        inside = (came >= made[..., 1]) & (came <= made[..., 5]) & scored_at
        own = inside.sum(axis=1)[enough] / counted[enough]
        losses.append(np.where(scored_at, pinball(made, LEVELS, came).mean(axis=2), 0).sum(axis=1))
        cells += [f"{inside.sum() / counted.sum():.3f}", f"{own.std():.3f}"]
    floor = 1e-6 * counted
    geometric = np.exp(np.log((losses[1] + floor)[enough] / (losses[0] + floor)[enough]).mean())
    return [*cells, f"{losses[1].sum() / losses[0].sum():.3f}", f"{geometric:.3f}"]


def _skills(done: Replay) -> str:
    spans = [f"{minutes} min" for minutes in WITHIN_MINUTES]
    pairs = [[brier_skill(p[:, k], done.crossed[:, k]) for p in done.breaches] for k in range(len(spans))]
    told = ", ".join(f"{span} {was:.3f} → {now:.3f}" for span, (was, now) in zip(spans, pairs, strict=True))
    return f"Brier skill of breaches, {len(done.crossed)} origins: {told}"


def main() -> None:
    """Replay the metrics of a trace and print the table."""
    parser = argparse.ArgumentParser(prog="python -m bench.trust", description="Bands before and after correction.")
    parser.add_argument("trace", type=Path, help="Parquet or CSV, as argus backtest reads it")
    parser.add_argument("--metric", action="append", help="only this metric; repeatable")
    parser.add_argument("--model", type=Path, help="folder of a model version; the statistical forecaster by default")
    parser.add_argument(
        "--limit", action="append", default=[], metavar="METRIC=VALUE", help="compare breach probabilities"
    )
    parser.add_argument("--first", type=int, default=2304, help="column of the first origin")
    asked = parser.parse_args()
    rows = with_derived(read_trace(asked.trace, Selection()), DEFAULT_CATALOGUE)
    store, forecaster = (
        TraceStore.of(rows, infer_step(rows)),
        open_forecaster(asked.model, statistical=asked.model is None),
    )
    names = asked.metric or [name for name, kind in rows.schema.items() if kind.is_numeric() and name not in IDENTITY]
    headings = ("metric", "lead", "coverage", "spread", "corrected", "spread", "loss, pooled", "loss, geometric")
    table = Table(*headings, title=f"{asked.trace.name}, {forecaster.name}: 10 to 90 % band; loss after / before")
    console, limits = Console(width=120), parse_limits(asked.limit)
    for name in names:
        mine = {metric: value for metric, value in limits.items() if metric == name}
        done = replay(forecaster, store.grid(name), name, asked.first, mine)
        for row in rows_of(done):
            table.add_row(name, *row)
        if mine:
            console.print(f"{name}: {_skills(done)}")
    console.print(table)


if __name__ == "__main__":
    main()
