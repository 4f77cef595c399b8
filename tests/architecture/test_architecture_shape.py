"""The shape of the code: sizes, the anatomy of a service, and what no file may hold."""

import ast
import doctest
import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted(
    file
    for place in ("libs/*/argus_*", "services/*/argus_*", "deploy/local/argus_*", "deploy/grafana/argus_*", "scripts")
    for folder in ROOT.glob(place)
    for file in folder.rglob("*.py")
)
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 50
ANATOMY = ("__main__.py", "app.py", "settings.py", "metrics.py", "ports.py", "domain", "adapters", "py.typed")
BEGUN = ("__main__.py", "app.py", "settings.py")
"""A service that has none of these is still an empty package."""
SERVICES = sorted(ROOT.glob("services/*/argus_*"))

MACHINE_PATH = re.compile(r"(?<![\w.:/])/(?:root|home|work|Users|mnt|data)/[\w.-]+")
REGISTRY = re.compile(
    r"(?i)index-url|pythonhosted|pypi\.org/simple|artifactory|\bnexus\b|\bregistry\.[a-z0-9-]+\.(?:com|org|io|net|dev)\b|://[^\s/@{}]+:[^\s/@{}]+@"
)
SECRET = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----|AKIA[0-9A-Z]{16}|ghp_[A-Za-z0-9]{36}")


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def functions(file: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def test_there_is_something_to_look_at() -> None:
    assert len(SOURCES) > 50
    assert {path.name for path in SERVICES} == {
        "argus_ingest",
        "argus_inference",
        "argus_cascade",
        "argus_drift",
        "argus_retrainer",
        "argus_simulator",
    }


@pytest.mark.parametrize("file", SOURCES, ids=name_of)
def test_a_file_and_its_functions_can_be_read_at_a_glance(file: Path) -> None:
    assert len(file.read_text(encoding="utf-8").splitlines()) <= MAX_FILE_LINES
    long = {function.name: length(function) for function in functions(file) if length(function) > MAX_FUNCTION_LINES}
    assert not long


def test_most_files_and_functions_are_short() -> None:
    files = sorted(len(file.read_text(encoding="utf-8").splitlines()) for file in SOURCES)
    lengths = sorted(length(function) for file in SOURCES for function in functions(file))
    assert files[len(files) // 2] <= 100
    assert lengths[len(lengths) // 2] <= 8
    assert lengths[len(lengths) * 9 // 10] <= 25


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: str(path.name))
def test_the_data_flow_of_a_service_can_be_read_from_its_file_names(service: Path) -> None:
    if not any((service / name).exists() for name in BEGUN):
        pytest.skip(f"{service.name} is an empty package")
    assert [name for name in ANATOMY if not (service / name).exists()] == []
    assert (service.parent / "README.md").exists()
    assert list((service.parent / "tests").glob("test_*.py"))


@pytest.mark.parametrize("service", SERVICES, ids=lambda path: str(path.name))
def test_the_entry_of_a_service_holds_no_logic(service: Path) -> None:
    entry = service / "__main__.py"
    if not entry.exists():
        pytest.skip(f"{service.name} has no entry yet")
    code = [
        line for line in entry.read_text(encoding="utf-8").splitlines() if line.strip() and not line.startswith("#")
    ]
    assert len(code) <= 15


def tracked() -> list[Path]:
    """Every file of the repository that Git knows."""
    done = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip("not a Git checkout")
    return [ROOT / name for name in done.stdout.split("\0") if name]


def lines_with(pattern: re.Pattern[str]) -> list[str]:
    found = []
    for file in tracked():
        if not file.is_file() or file == Path(__file__):
            continue
        text = file.read_text(encoding="utf-8", errors="replace")
        for number, line in enumerate(text.splitlines(), start=1):
            if pattern.search(line):
                found.append(f"{name_of(file)}:{number}: {line.strip()[:100]}")
    return found


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    assert lines_with(MACHINE_PATH) == []


def test_no_file_names_a_package_registry_or_holds_credentials() -> None:
    assert lines_with(REGISTRY) == []


def test_no_file_holds_a_private_key_or_a_token() -> None:
    assert lines_with(SECRET) == []


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        (MACHINE_PATH, 'open("/home/ann/data.csv")'),
        (MACHINE_PATH, "see /home/ada/.cache"),
        (REGISTRY, "--extra-index-url https://x"),
        (REGISTRY, "pull registry.example.org/argus"),
        (REGISTRY, "redis://user:password@host"),
        (SECRET, "-----BEGIN EC PRIVATE KEY-----"),
    ],
)
def test_the_search_finds_what_it_looks_for(pattern: re.Pattern[str], line: str) -> None:
    assert pattern.search(line)


def module_of(file: Path) -> str:
    package = next(parent for parent in file.parents if (parent / "pyproject.toml").exists())
    parts = file.relative_to(package).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = [module_of(file) for file in SOURCES if file.parent.name != "scripts" and file.name != "__main__.py"]


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_docstrings_are_true(name: str) -> None:
    module = importlib.import_module(name)
    options = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
    result = doctest.testmod(module, optionflags=options, raise_on_error=False)
    assert result.failed == 0, f"python -m doctest {module.__file__}"


def test_some_docstrings_have_examples() -> None:
    attempted = [doctest.testmod(sys.modules[name], optionflags=doctest.ELLIPSIS).attempted for name in MODULES]
    assert sum(attempted) > 25
