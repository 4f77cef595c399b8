"""All that is known of a fleet, as bytes and back: arrays as they are in memory, compressed; nothing is code."""

import io

import cramjam
import msgspec
import numpy as np

from argus_drift.domain.detector import Detector
from argus_drift.domain.fleet.columns import Model
from argus_drift.domain.fleet.drifts import Drifts
from argus_drift.domain.fleet.staleness import Staleness
from argus_drift.domain.fleet.watch import Watch

VERSION = 1


class _Document(msgspec.Struct):
    version: int
    key: tuple[str, int]
    targets: tuple[str, ...]
    drifts: Drifts
    servers: list[str]
    profiles: list[str]
    models: list[Model]
    heard: list[int]
    hours: int
    ticked: int
    waited: dict[str, int]


def packed(watch: Watch, ticked: int, waited: dict[str, int]) -> bytes:
    """The bytes of all that is known. ``ticked``, ``waited``: of the collector."""
    document = _Document(
        VERSION, watch.key, watch.targets, watch.drifts, watch.servers, watch.profiles, watch.models, watch.heard,
        watch.hours, ticked, waited,
    )  # fmt: skip
    arrays = {f"detector.{name}": np.asarray(value) for name, value in watch.detector.snapshot().items()}
    arrays |= {f"staleness.{name}": array for name, array in watch.staleness.arrays().items()}
    arrays["document"] = np.frombuffer(msgspec.msgpack.encode(document), np.uint8)
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, **arrays)
    return bytes(cramjam.zstd.compress(file.getbuffer(), level=1))


def unpacked(raw: bytes, targets: tuple[str, ...]) -> tuple[Watch, int, dict[str, int]]:
    """What `packed` was given.

    Raises:
        ValueError: it can't be read, is of another version, or of other targets.
    """
    try:
        arrays = dict(np.load(io.BytesIO(bytes(cramjam.zstd.decompress(raw))), allow_pickle=False))
        said = msgspec.msgpack.decode(arrays.pop("document").tobytes(), type=_Document)
    except (cramjam.DecompressionError, msgspec.DecodeError, KeyError) as error:
        raise ValueError(f"a fleet's state can't be read: {error}") from error
    if said.version != VERSION or said.targets != targets:
        raise ValueError(
            f"a fleet's state of version {said.version} with {said.targets}: expected {VERSION}, {targets}"
        )
    detector = Detector(len(said.servers), targets, said.key[1])
    detector.restore(_part(arrays, "detector."))
    staleness = Staleness.restored(_part(arrays, "staleness."))
    watch = Watch(
        said.key, targets, detector, staleness, said.drifts, said.servers, said.profiles, said.models, said.heard,
        said.hours,
    )  # fmt: skip
    return watch, said.ticked, said.waited


def _part(arrays: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
