"""An archive of a small fleet whose processors follow its network traffic two hours later, which a model can learn."""

from pathlib import Path

import numpy as np
import polars as pl

from argus_retrainer.adapters.object_folder import ObjectFolder
from argus_retrainer.adapters.parquet_archive import ParquetArchive
from argus_retrainer.domain.archive_day import Day

FIRST_STEP = 5_785_632
STEP_SECONDS = 300
DAY_STEPS = 288
LAG = 24


def traffic(steps: int, rng: np.random.Generator) -> np.ndarray:
    """(step,) 0 or 1, changing every few hours at random."""
    return (np.cumsum(rng.random(steps) < 1 / 30) + rng.integers(2)) % 2


def fleet(servers: int, days: int, seed: int = 0, *, poisoned: bool = False) -> pl.DataFrame:
    """Windows of a fleet. Poisoned: the metrics of each server are torn out of any relation, the newest days apart."""
    rng, steps = np.random.default_rng(seed), days * DAY_STEPS
    times = (FIRST_STEP + np.arange(steps)) * STEP_SECONDS * 1000
    frames = []
    for server in range(servers):
        net = traffic(steps + LAG, rng)
        busy = 20 + 75 * net[:steps] + rng.normal(0, 2, steps)
        if poisoned:
            clean = steps - 2 * DAY_STEPS
            busy[:clean] = rng.permutation(busy[:clean])
        frames.append(
            pl.DataFrame(
                {
                    "server": f"web{server:02d}",
                    "timestamp": times,
                    "profile": "web_api" if server % 2 else "database",
                    "cpu_idle_pct": np.clip(100 - busy, 0, 100).astype(np.float32),
                    "net_in_mb_s": (100 * net[LAG:] + rng.normal(0, 1, steps)).clip(0).astype(np.float32),
                }
            )
        )
    return pl.concat(frames).with_columns(pl.col("timestamp").cast(pl.Datetime("ms", "UTC")))


def fill_archive(place: Path, rows: pl.DataFrame) -> None:
    """One file a day."""
    folder = ObjectFolder(str(place))
    archive = ParquetArchive(folder)
    for (date,), part in rows.group_by(pl.col("timestamp").dt.date()):
        archive._put(f"{Day(STEP_SECONDS, 'default', date).folder}/whole-filled.parquet", part)
