"""The model store: what it holds, and that no name leads out of it."""

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argus_common.errors import ModelUnavailableError
from argus_forecasting.calibration import Calibration
from argus_forecasting.features.schema import FeatureSchema
from argus_forecasting.trained.artefact import Manifest, load_from, save
from argus_forecasting.trained.networks import NetworkSettings, build
from argus_forecasting.trained.store import CARD, MANIFEST, ModelStore

SCHEMA = FeatureSchema(300, ("cpu_used_pct",), (), ("cpu_used_pct",))
SMALL = NetworkSettings(hidden=8, layers=1)


def made(folder: Path, name: str, version: str) -> Path:
    manifest = Manifest(name, version, "2026-01-01T00:00:00Z", SCHEMA, SMALL, Calibration())
    return save(folder, manifest, build(SMALL, SCHEMA), "# card")


def test_the_versions_are_those_that_are_complete(tmp_path: Path) -> None:
    for name, version in (("web", "2"), ("web", "1"), ("db", "1")):
        made(tmp_path, name, version)
    (tmp_path / "web" / "3").mkdir()
    (tmp_path / "README.md").write_text("not a model")
    store = ModelStore(tmp_path)
    assert [str(place.relative_to(tmp_path)) for place in store.places()] == ["db/1", "web/1", "web/2"]
    assert store.holds("web", "2")
    assert not store.holds("web", "3")
    assert list(ModelStore(tmp_path / "none").places()) == []


def test_a_version_is_loaded_by_its_name_and_the_sha256_of_its_manifest(tmp_path: Path) -> None:
    made(tmp_path, "web", "1")
    store = ModelStore(tmp_path)
    manifest, _ = load_from(store, "web", "1", store.sha256("web", "1"))
    assert (manifest.name, manifest.version) == ("web", "1")


def test_a_version_that_is_not_the_one_that_was_promoted_is_refused(tmp_path: Path) -> None:
    place = made(tmp_path, "web", "1")
    store = ModelStore(tmp_path)
    promoted = store.sha256("web", "1")
    (place / MANIFEST).write_text((place / MANIFEST).read_text() + " ")
    with pytest.raises(ModelUnavailableError, match="altered"):
        load_from(store, "web", "1", promoted)


def test_a_version_under_another_name_is_refused(tmp_path: Path) -> None:
    place = made(tmp_path, "web", "1")
    shutil.copytree(place, tmp_path / "web" / "2")
    with pytest.raises(ModelUnavailableError, match="calls itself web 1"):
        load_from(ModelStore(tmp_path), "web", "2")


def test_a_version_that_is_missing_is_told_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailableError, match=r"web/9: there is no such version in this store"):
        load_from(ModelStore(tmp_path), "web", "9")


HOSTILE = ["..", "../web", "a/../../b", "/etc", "a/b", "~", "a\\b", "", ".", "a\0b", "A", "a\n"]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_never_leads_out_of_the_store(tmp_path: Path, name: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / MANIFEST).write_text("{}")
    (outside / CARD).write_text("secret")
    store = ModelStore(tmp_path / "store" / "deep")
    for pair in ((name, "1"), ("web", name)):
        for ask in (store.place, store.holds, store.sha256, store.require):
            with pytest.raises(ModelUnavailableError, match="is no name"):
                ask(*pair)


@given(st.text(max_size=12), st.text(max_size=12))
def test_whatever_is_asked_for_lies_two_folders_down_or_is_refused(name: str, version: str) -> None:
    folder = Path("store")
    try:
        place = ModelStore(folder).place(name, version)
    except ModelUnavailableError:
        return
    assert place.parent.parent == folder
    assert ".." not in place.parts
