"""What was learned of a server's forecasts, as one row of numbers."""

import numpy as np

from argus_common.events import SCORED_LEADS
from argus_forecasting.forecaster import Bands, Floats
from argus_forecasting.online.contest import Contest

CONTEST_VALUES = 3


def row_width(targets: int, levels: int) -> int:
    """Numbers per server and source."""
    return targets * (len(SCORED_LEADS) * (levels + 1) + CONTEST_VALUES)


def packed(bands: Bands, contest: Contest, servers: int) -> Floats:
    """(server, number) of what was learned of their series."""
    series = len(contest.evidence)
    parts = (bands.offset, bands.usual, contest.evidence, contest.usual, contest.demoted)
    columns = [np.asarray(part, np.float32).reshape(series, -1) for part in parts]
    return np.concatenate(columns, axis=1).reshape(servers, -1)


def unpacked(rows: Floats, targets: int, levels: int) -> tuple[Bands, Contest]:
    """What (server, number) rows say of their series, server by server; NaN offsets where a row is missing."""
    series = len(rows) * targets
    columns = rows.reshape(series, -1)
    offsets = len(SCORED_LEADS) * levels
    offset = columns[:, :offsets].reshape(series, len(SCORED_LEADS), levels)
    evidence, usual, demoted = columns[:, -CONTEST_VALUES:].T
    bands = Bands(SCORED_LEADS, offset, columns[:, offsets:-CONTEST_VALUES])
    return bands, Contest(np.nan_to_num(evidence), usual, demoted == 1)
