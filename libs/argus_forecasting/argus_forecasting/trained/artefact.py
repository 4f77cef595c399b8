"""A model on disk: ``<name>/<version>/`` with ``model.safetensors``, ``manifest.json``, ``card.md`` and its pictures.
No pickle.

Whatever is wrong with a file is found before a tensor is built from it: its size, its sha256, its header.
"""

import hashlib
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors

from argus_common.errors import ModelUnavailableError
from argus_forecasting.calibration import Calibration
from argus_forecasting.features.schema import FeatureSchema
from argus_forecasting.trained.networks import Network, NetworkSettings, build
from argus_forecasting.trained.store import CARD, MANIFEST, MAX_MANIFEST_BYTES, WEIGHTS, ModelStore, read_file

FORMAT = 1
MAX_WEIGHTS_BYTES = 256 * 2**20
MAX_FILE_BYTES = 2**24
MAX_HEADER_BYTES = 2**20


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a model is. ``training``: span, servers, settings, data fingerprint, versions of code and libraries.
    ``scores``: on the validation part. ``files``: sha256 of the card and its pictures, by name.
    """

    name: str
    version: str
    created: str
    schema: FeatureSchema
    network: NetworkSettings
    calibration: Calibration
    weights_sha256: str = ""
    weights_bytes: int = 0
    training: dict[str, Any] = field(default_factory=dict)
    scores: dict[str, Any] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    def assessed(self) -> dict[str, dict[str, Any]]:
        """Target → its scores by forecaster: those of the trace it was assessed on, which a version that was trained
        further need not have known before.
        """
        return {
            name: found for name, found in self.scores.items() if isinstance(found, dict) and "statistical" in found
        }

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "format": FORMAT,
            "name": self.name,
            "version": self.version,
            "created": self.created,
            "weights": {"file": WEIGHTS, "sha256": self.weights_sha256, "bytes": self.weights_bytes},
            "schema": self.schema.to_json(),
            "network": self.network.to_json(),
            "calibration": self.calibration.to_json(),
            "training": self.training,
            "scores": self.scores,
            "files": self.files,
        }

    @staticmethod
    def from_json(document: dict[str, Any], source: str) -> "Manifest":
        """The inverse of `to_json`.

        Raises:
            ModelUnavailableError: it is not a manifest of this format.
        """
        if document.get("format") != FORMAT:
            raise ModelUnavailableError(f"{source}: format {document.get('format')!r}, this Argus reads {FORMAT}")
        try:
            weights = document["weights"]
            return Manifest(
                document["name"],
                document["version"],
                document["created"],
                FeatureSchema.from_json(document["schema"]),
                NetworkSettings.from_json(document["network"]),
                Calibration.from_json(document["calibration"]),
                str(weights["sha256"]),
                int(weights["bytes"]),
                document["training"],
                document["scores"],
                {str(name): str(sha256) for name, sha256 in document.get("files", {}).items()},
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ModelUnavailableError(f"{source}: not a manifest: {error!r}") from error


def place_for(folder: Path, name: str, version: str) -> Path:
    """Where a new version goes.

    Raises:
        ModelUnavailableError: the version exists, or a name is not one.
    """
    place = ModelStore(folder).place(name, version)
    if (place / MANIFEST).exists():
        raise ModelUnavailableError(f"{place}: this version exists, and versions never change")
    return place


def save(
    folder: Path, manifest: Manifest, network: Network, card: str, pictures: Mapping[str, bytes] | None = None
) -> Path:
    """Write a version under ``folder`` and return its own folder; the manifest is written last, so that a version
    that was cut short is no version.

    Args:
        folder: the model store.
        manifest: what the model is; sizes and checksums are filled in.
        network: its weights.
        card: Markdown.
        pictures: of the card, by file name.

    Raises:
        ModelUnavailableError: the version exists, or a name is not one.
    """
    place = place_for(folder, manifest.name, manifest.version)
    place.mkdir(parents=True, exist_ok=True)
    raw = save_tensors({name: values.detach().cpu().contiguous() for name, values in network.named_parameters()})
    document = manifest.to_json()
    document["weights"] |= {"sha256": _sha256(raw), "bytes": len(raw)}
    others = {CARD: card.encode(), **(pictures or {})}
    document["files"] = {name: _sha256(content) for name, content in others.items()}
    for name, content in {WEIGHTS: raw, **others}.items():
        (place / name).write_bytes(content)
    unfinished = place / f"{MANIFEST}.part"
    unfinished.write_text(json.dumps(document, indent=1))
    unfinished.replace(place / MANIFEST)
    return place


def require_unaltered(place: Path, manifest: Manifest) -> None:
    """Check the files that serving does without: the card and its pictures.

    Raises:
        ModelUnavailableError: one is missing, or not the one that was written.
    """
    for name, sha256 in manifest.files.items():
        if Path(name).name != name:
            raise ModelUnavailableError(f"{place / MANIFEST}: {name!r} is not the name of a file beside it")
        if (found := _sha256(read_file(place / name, MAX_FILE_BYTES))) != sha256:
            raise ModelUnavailableError(f"{place / name}: sha256 {found}, the manifest says {sha256}: altered")


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def read_manifest(place: Path) -> Manifest:
    """The manifest of the version in ``place``.

    Raises:
        ModelUnavailableError: there is none, or it is not one.
    """
    file = place / MANIFEST
    raw = read_file(file, MAX_MANIFEST_BYTES)
    try:
        document = json.loads(raw)
    except ValueError as error:
        raise ModelUnavailableError(f"{file}: not JSON: {error}") from error
    if not isinstance(document, dict):
        raise ModelUnavailableError(f"{file}: not a manifest")
    return Manifest.from_json(document, str(file))


def load(place: Path) -> tuple[Manifest, Network]:
    """A version's manifest and network, ready to forecast.

    Raises:
        ModelUnavailableError: a file is missing, truncated, altered, oversized, or of another model.
    """
    manifest = read_manifest(place)
    file = place / WEIGHTS
    raw = read_file(file, MAX_WEIGHTS_BYTES)
    if len(raw) != manifest.weights_bytes:
        raise ModelUnavailableError(f"{file}: {len(raw)} bytes, the manifest says {manifest.weights_bytes}")
    if (found := _sha256(raw)) != manifest.weights_sha256:
        raise ModelUnavailableError(f"{file}: sha256 {found}, the manifest says {manifest.weights_sha256}: altered")
    with torch.random.fork_rng():
        network = build(manifest.network, manifest.schema)
    parameters = dict(network.named_parameters())
    _require_same_shapes(file, _header(file, raw), {name: tuple(p.shape) for name, p in parameters.items()})
    with torch.no_grad():
        for name, values in load_tensors(raw).items():
            parameters[name].copy_(values)
    return manifest, network.eval()


def load_from(store: ModelStore, name: str, version: str, sha256: str | None = None) -> tuple[Manifest, Network]:
    """`load` of a version of a store; ``sha256``: of its manifest, where it must be a certain one.

    Raises:
        ModelUnavailableError: it is missing, altered, or calls itself otherwise than its folders do.
    """
    place = store.require(name, version, sha256)
    manifest, network = load(place)
    if (manifest.name, manifest.version) != (name, version):
        raise ModelUnavailableError(f"{place / MANIFEST}: it calls itself {manifest.name} {manifest.version}")
    return manifest, network


def _header(file: Path, raw: bytes) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Type and shape by name, as the file says before its tensors."""
    try:
        (length,) = struct.unpack("<Q", raw[:8])
        document = json.loads(raw[8 : 8 + min(length, MAX_HEADER_BYTES)])
        entries = {name: value for name, value in document.items() if name != "__metadata__"}
        return {name: (value["dtype"], tuple(value["shape"])) for name, value in entries.items()}
    except (struct.error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelUnavailableError(f"{file}: not a safetensors file: {error}") from error


def _require_same_shapes(
    file: Path, found: dict[str, tuple[str, tuple[int, ...]]], wanted: dict[str, tuple[int, ...]]
) -> None:
    if missing := sorted(wanted.keys() ^ found.keys()):
        raise ModelUnavailableError(f"{file}: of another network: {', '.join(missing[:3])} is in only one of them")
    for name, (kind, shape) in found.items():
        if kind != "F32" or shape != wanted[name]:
            raise ModelUnavailableError(f"{file}: {name} is {kind} {shape}, expected F32 {wanted[name]}")
