"""``python -m bench.demotion TRACE --model FOLDER``: whom the contest between a model and its stand-in demotes.

Every step is an origin, as in `bench.trust`. Equal quality is made of unequal forecasters by exchanging them at random
for eight hours at a time, which keeps how their losses hang together; a bad model by multiplying losses.
"""

import argparse
from pathlib import Path

import numpy as np
from rich.console import Console

from argus_cli.models_option import open_forecaster
from argus_cli.trace_frame import Selection, read_trace, with_derived
from argus_common.metrics import DEFAULT_CATALOGUE
from argus_forecasting.batch import Origins, Request, described, series
from argus_forecasting.forecaster import Floats, Forecaster, Mask
from argus_forecasting.grid import Grid, infer_step
from argus_forecasting.online.bands import at_scored_leads
from argus_forecasting.online.contest import Contest, judged
from argus_forecasting.scores import pinball
from argus_forecasting.trace_store import TraceStore
from bench.trust import LEADS, LEVELS, begun, due_at, taught, with_trust

BLOCK, REPEATS, WEEK = 96, 5, 2016

Losses = tuple[Floats, Floats]


def losses(forecaster: Forecaster, grid: Grid, name: str, first: int) -> Losses:
    """(server, step, scored lead) pinball losses of the model and of the statistical forecaster, both corrected."""
    metric, servers = described(name, DEFAULT_CATALOGUE, Request(96, LEVELS, {})), len(grid.servers)
    columns = np.arange(first, grid.values.shape[1])
    raw = np.full((2, servers, len(columns), len(LEADS), len(LEVELS)), np.nan, np.float32)
    lost = np.full((2, servers, len(columns), len(LEADS)), np.nan, np.float32)
    bands = [begun(servers), begun(servers)]
    for i, column in enumerate(columns.tolist()):
        value = grid.values[:, column]
        for k in range(2):
            due = due_at(raw[k], i)
            made = np.sort(at_scored_leads(due, LEVELS, bands[k]), axis=2)
            lost[k, :, i] = pinball(made, LEVELS, np.repeat(value[:, None], len(LEADS), axis=1)).mean(axis=2)
            bands[k] = taught(bands[k], due, value)
        origins = Origins(np.arange(servers), np.full(servers, column))
        batch = series(grid.histories(origins.server, origins.column, forecaster.history_steps), grid, origins, metric)
        answer = forecaster.forecast(with_trust(batch, bands[0]), 96, LEVELS)
        if answer.raw is not None:
            seen = np.isfinite(batch.values).any(axis=1)
            raw[:, seen, i] = np.moveaxis(answer.raw[seen], 1, 0)
    return lost[0], lost[1]


def contested(model: Floats, statistical: Floats) -> Mask:
    """(server, step) demoted."""
    contest, found = Contest.begun(len(model)), []
    for step in range(model.shape[1]):
        contest = judged(contest, model[:, step], statistical[:, step])
        found.append(contest.demoted)
    return np.array(found).T


def exchanged(pair: Losses, rng: np.random.Generator) -> Losses:
    """Two forecasters that are equally good."""
    servers, steps, _ = pair[0].shape
    swap = np.repeat(rng.random((servers, steps // BLOCK + 1)) < 0.5, BLOCK, axis=1)[:, :steps, None]
    return np.where(swap, *pair), np.where(swap, *pair[::-1])


def told(name: str, pair: Losses) -> str:
    """What is printed of a metric."""
    weeks, rng = pair[0].shape[0] * pair[0].shape[1] / WEEK, np.random.default_rng(0)
    runs = [contested(*exchanged(pair, rng)) for _ in range(REPEATS)]
    turns, share = np.mean([_turns(run) for run in runs]) / weeks, np.mean([run.mean() for run in runs])
    lines = [
        f"{name}: loss over that of the statistical forecaster {np.nansum(pair[0]) / np.nansum(pair[1]):.3f}",
        f"  served by the statistical forecaster: {contested(*pair).mean():.1%} of the steps",
        f"  equally good: {turns:.3f} demotions per series and week, {share:.1%} of the steps",
    ]
    for times in (1.3, 2.0, 4.0):
        bad = contested(times * pair[1], pair[1])
        steps = np.where(bad.any(axis=1), bad.argmax(axis=1), bad.shape[1])
        median, late = np.quantile(steps, (0.5, 0.95))
        lines.append(f"  {times} times the loss: demoted after {median:.0f} steps, 95 % of the series after {late:.0f}")
    return "\n".join(lines)


def _turns(demoted: Mask) -> int:
    return int((demoted[:, 1:] & ~demoted[:, :-1]).sum())


def main() -> None:
    """Replay the metrics of a trace and print what the contest does."""
    parser = argparse.ArgumentParser(prog="python -m bench.demotion", description="Whom the contest demotes.")
    parser.add_argument("trace", type=Path, help="Parquet or CSV, as argus backtest reads it")
    parser.add_argument("--model", type=Path, required=True, help="folder of a model version")
    parser.add_argument("--metric", action="append", required=True, help="repeatable")
    parser.add_argument("--first", type=int, default=2304, help="column of the first origin")
    asked = parser.parse_args()
    rows = with_derived(read_trace(asked.trace, Selection()), DEFAULT_CATALOGUE)
    store, forecaster = TraceStore.of(rows, infer_step(rows)), open_forecaster(asked.model, statistical=False)
    for name in asked.metric:
        Console(width=120, highlight=False).print(told(name, losses(forecaster, store.grid(name), name, asked.first)))


if __name__ == "__main__":
    main()
