"""Model versions on disk: what was written is read; whatever else lies there is refused before a tensor is built."""

import hashlib
import json
import struct
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from argus_common.errors import ModelUnavailableError
from argus_forecasting.calibration import Calibration
from argus_forecasting.features.schema import FeatureSchema
from argus_forecasting.trained import artefact
from argus_forecasting.trained.artefact import Manifest, load, read_manifest, save
from argus_forecasting.trained.networks import NetworkSettings, build
from argus_forecasting.trained.store import MANIFEST, WEIGHTS

SCHEMA = FeatureSchema(300, ("cpu_used_pct",), ("database",), ("cpu_used_pct", "mem_used_pct"))
SMALL = NetworkSettings(hidden=16, layers=1)


def manifest(version: str = "1", network: NetworkSettings = SMALL) -> Manifest:
    return Manifest("web", version, "2026-01-01T00:00:00Z", SCHEMA, network, Calibration(blend=0.75), scores={"a": 1})


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return save(tmp_path, manifest(), build(SMALL, SCHEMA), "# card")


def rewrite(place: Path, **changes: object) -> None:
    document = json.loads((place / MANIFEST).read_text())
    (place / MANIFEST).write_text(json.dumps({**document, **changes}))


@pytest.mark.parametrize("settings", [SMALL, NetworkSettings("tft", 8, 1, 2)])
def test_what_was_written_is_read(tmp_path: Path, settings: NetworkSettings) -> None:
    network = build(settings, SCHEMA)
    written = save(tmp_path, manifest(network=settings), network, "# card")
    found, again = load(written)
    assert found.schema == SCHEMA
    assert found.network == settings
    assert found.calibration.blend == 0.75
    theirs = dict(again.named_parameters())
    assert all(torch.equal(values, theirs[name]) for name, values in network.named_parameters())
    assert (written / "card.md").read_text() == "# card"


def test_no_file_of_a_version_is_a_pickle(place: Path) -> None:
    assert {file.suffix for file in place.iterdir()} == {".json", ".md", ".safetensors"}


def test_a_version_never_changes(place: Path) -> None:
    with pytest.raises(ModelUnavailableError, match="versions never change"):
        save(place.parent.parent, manifest(), build(SMALL, SCHEMA), "")


@pytest.mark.parametrize("name", ["../web", "Web", "", "a" * 65, "a/b"])
def test_a_name_that_is_a_path_or_too_long_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelUnavailableError, match="is no name"):
        save(tmp_path, replace(manifest(), name=name), build(SMALL, SCHEMA), "")


def test_a_truncated_file_is_refused(place: Path) -> None:
    raw = (place / WEIGHTS).read_bytes()
    (place / WEIGHTS).write_bytes(raw[:-100])
    with pytest.raises(ModelUnavailableError, match="bytes, the manifest says"):
        load(place)


def test_an_altered_file_is_refused(place: Path) -> None:
    raw = bytearray((place / WEIGHTS).read_bytes())
    raw[-1] ^= 1
    (place / WEIGHTS).write_bytes(bytes(raw))
    with pytest.raises(ModelUnavailableError, match=r"sha256 .* altered"):
        load(place)


def test_an_oversized_file_is_refused_before_it_is_read(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artefact, "MAX_WEIGHTS_BYTES", 100)
    with pytest.raises(ModelUnavailableError, match="more than the 100"):
        load(place)


def foreign(place: Path, raw: bytes) -> None:
    (place / WEIGHTS).write_bytes(raw)
    rewrite(place, weights={"file": WEIGHTS, "sha256": hashlib.sha256(raw).hexdigest(), "bytes": len(raw)})


@pytest.mark.parametrize(
    "raw", [b"", b"\x80\x04\x95 a pickle", struct.pack("<Q", 2**40) + b"{}", struct.pack("<Q", 4) + b"[1]]", b"\0" * 8]
)
def test_a_foreign_file_with_a_right_checksum_is_refused(place: Path, raw: bytes) -> None:
    foreign(place, raw)
    with pytest.raises(ModelUnavailableError):
        load(place)


def test_weights_of_another_network_are_refused_with_the_tensor_named(place: Path, tmp_path: Path) -> None:
    wider = save(
        tmp_path / "other", manifest("2", replace(SMALL, hidden=32)), build(replace(SMALL, hidden=32), SCHEMA), ""
    )
    foreign(place, (wider / WEIGHTS).read_bytes())
    with pytest.raises(ModelUnavailableError, match="expected F32"):
        load(place)
    deeper = save(
        tmp_path / "other", manifest("3", replace(SMALL, layers=2)), build(replace(SMALL, layers=2), SCHEMA), ""
    )
    foreign(place, (deeper / WEIGHTS).read_bytes())
    with pytest.raises(ModelUnavailableError, match="in only one of them"):
        load(place)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 99}, "this Argus reads 1"),
        ({"network": {"family": "oracle"}}, "unknown model family"),
        ({"network": {"colour": 1}}, "not the settings of a network"),
        ({"schema": {"version": 0}}, "train the model again"),
        ({"calibration": {"intercepts": [0], "slopes": [1], "blend": 1}}, "not a manifest"),
        ({"weights": {}}, "not a manifest"),
    ],
)
def test_a_manifest_that_is_not_ours_is_refused(place: Path, changes: dict[str, object], message: str) -> None:
    rewrite(place, **changes)
    with pytest.raises(Exception, match=message):
        load(place)


@pytest.mark.parametrize("text", ["", "[]", "{", "null"])
def test_a_manifest_that_is_no_object_is_refused(place: Path, text: str) -> None:
    (place / MANIFEST).write_text(text)
    with pytest.raises(ModelUnavailableError):
        read_manifest(place)


def test_a_version_that_was_cut_short_is_no_version(place: Path) -> None:
    (place / MANIFEST).unlink()
    with pytest.raises(ModelUnavailableError, match="No such file"):
        load(place)


def test_loading_does_not_touch_the_random_state(place: Path) -> None:
    before = torch.get_rng_state()
    load(place)
    assert torch.equal(before, torch.get_rng_state())
