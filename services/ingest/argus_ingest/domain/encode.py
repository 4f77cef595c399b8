"""Closed windows to the bytes of WindowClosed events, from columns, without building an object per event."""

import math
from collections.abc import Iterator

import msgspec

from argus_common.events import Record, WindowClosed, headers_of
from argus_common.events.base import step_time
from argus_common.events.window import window_id
from argus_ingest.domain.aggregate import Windows
from argus_ingest.domain.servers import ServerTable

SOURCE = "/argus/ingest"

READ_UP_TO = "argus_read_up_to"
"""Header of a window: ``partition:offset`` up to which the metrics topic had been taken in when it closed. From it a
rebuild learns which records were accounted for, even where both Redis and the process were lost."""

_encode = msgspec.json.Encoder().encode


def encode_windows(
    windows: Windows, servers: ServerTable, names: tuple[str, ...], step_seconds: int, read_up_to: str
) -> Iterator[Record]:
    """The events of these windows. The same window always gives the same value and the same id.

    Args:
        windows: what closed.
        servers: names and profiles.
        names: of the columns.
        step_seconds: length of the step.
        read_up_to: ``partition:offset``, see `READ_UP_TO`.
    """
    shared = headers_of(WindowClosed.type, SOURCE, "", step_time(windows.step + 1, step_seconds))
    shared = [header for header in shared if header[0] != "ce_id"] + [(READ_UP_TO, read_up_to.encode())]
    rows = zip(windows.server.tolist(), windows.samples.tolist(), windows.values.tolist(), strict=True)
    for number, samples, values in rows:
        fleet, server = servers.fleets[number], servers.servers[number]
        body = {
            "fleet": fleet,
            "server": server,
            "profile": servers.profiles[number],
            "step": windows.step,
            "step_seconds": step_seconds,
            "samples": samples,
            "metrics": {name: value for name, value in zip(names, values, strict=True) if not math.isnan(value)},
        }
        event_id = window_id(fleet, server, step_seconds, windows.step)
        yield Record(server.encode(), _encode(body), [*shared, ("ce_id", event_id.encode())])
