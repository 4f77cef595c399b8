"""What is remembered of the alerts of a server between its windows: the rule's state, and what was told."""

from dataclasses import dataclass, fields

import numpy as np

from argus_forecasting.alarms import AlarmRule, AlarmState
from argus_forecasting.forecaster import Floats, Mask


@dataclass(slots=True)
class Told:
    """(series,) each: what the last event of an alert said. ``sequence``: events told of this alert. ``limit``: of the
    standing alert. ``ago``: steps since it was said.
    """

    sequence: Floats
    limit: Floats
    ago: Floats
    probability: Floats
    risk: Floats


def row_width(rule: AlarmRule) -> int:
    """Numbers that are kept per target."""
    return AlarmState.width(len(rule.promises)) + len(fields(Told))


def new_rows(servers: int, targets: int, rule: AlarmRule) -> Floats:
    """(server, target, number) of servers that were never looked at."""
    size = servers * targets
    nothing = np.zeros((size, len(fields(Told))), np.float32)
    return fold(AlarmState.new(size, len(rule.promises)), Told(*nothing.T), (servers, targets))


def unfold(rows: Floats) -> tuple[AlarmState, Told]:
    """(server, target, number) rows as columns over all series."""
    flat = rows.reshape(-1, rows.shape[-1])
    last = len(fields(Told))
    return AlarmState.from_rows(flat[:, :-last]), Told(*flat[:, -last:].T.copy())


def fold(alarm: AlarmState, told: Told, shape: tuple[int, ...]) -> Floats:
    """The inverse of `unfold`; ``shape``: (servers, targets)."""
    columns = [getattr(told, field.name) for field in fields(told)]
    rows = np.column_stack([alarm.rows(), *columns]).astype(np.float32)
    return rows.reshape(*shape, -1)


def stands(rows: Floats) -> Mask:
    """(server,) whether an alert stands on any target; ``rows``: (server, target, number)."""
    standing: Mask = np.any(unfold(rows)[0].standing().reshape(rows.shape[:2]), axis=1)
    return standing
