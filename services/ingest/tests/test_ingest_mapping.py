"""The mapping file: what is wrong with it is told with its place."""

from pathlib import Path

import pytest

from argus_common.errors import ConfigurationError
from argus_common.metrics import DEFAULT_CATALOGUE
from argus_ingest.domain.mapping import Mapping, Source, load_mapping


def load(folder: Path, text: str | bytes) -> Mapping:
    path = folder / "mapping.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return load_mapping(path, DEFAULT_CATALOGUE)


def test_without_a_file_names_go_to_themselves() -> None:
    mapping = load_mapping(None, DEFAULT_CATALOGUE)
    assert mapping.source("load_average") == Source(metric="load_average", scale=1, offset=0)
    assert not mapping.ignores("load_average")


def test_an_empty_file_maps_nothing(tmp_path: Path) -> None:
    assert load(tmp_path, "") == Mapping()


def test_a_plain_name_is_a_source_without_conversion(tmp_path: Path) -> None:
    mapping = load(tmp_path, "names: {load1: load_average, mem: {metric: mem_used_pct, scale: 100}}\nignore: ['x_*']")
    assert mapping.source("load1") == Source(metric="load_average")
    assert mapping.source("mem").scale == 100
    assert [mapping.ignores("x_1"), mapping.ignores("X_1"), mapping.ignores("y")] == [True, False, False]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("names: {a: cpu_used_pct}", "'a' is mapped to 'cpu_used_pct', which producers can't send; expected one of"),
        ("names: {a: nonsense}", "'a' is mapped to 'nonsense'"),
        ("names: {a: {metric: load_average, scale: .nan}}", "scale"),
        ("names: {a: {metric: load_average, unit: x}}", "unit"),
        ("name: {}", "name"),
        ("profiles: {'(': database}", "is no regular expression"),
        ("profiles: {'^db': ''}", "profiles"),
        ("- a", "mapping.yaml"),
        ("a: [", "mapping.yaml"),
        (b"\xff\xfe", "mapping.yaml"),
    ],
)
def test_a_wrong_file_is_told_with_what_is_wrong(tmp_path: Path, text: str | bytes, complaint: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(tmp_path, text)
    assert complaint in str(caught.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"absent\.yaml"):
        load_mapping(tmp_path / "absent.yaml", DEFAULT_CATALOGUE)
