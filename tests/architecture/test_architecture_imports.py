"""Who may import whom, and that every package declares what it imports."""

import ast
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = sorted(
    file.parent for place in ("libs/*", "services/*", "deploy/local") for file in ROOT.glob(f"{place}/pyproject.toml")
)
TORCH = {"torch", "lightning", "pytorch_lightning", "pytorch_forecasting"}
TORCH_FREE = {
    "argus_common",
    "argus_cli",
    "argus_ingest",
    "argus_cascade",
    "argus_drift",
    "argus_simulator",
    "argus_local",
}
CLOCKS = {"time.time", "time.time_ns", "time.monotonic", "time.perf_counter", "datetime.now", "datetime.utcnow"}


def import_name(package: Path) -> str:
    return next(package.glob("argus_*")).name


def modules(package: Path) -> list[Path]:
    return sorted(package.glob("argus_*/**/*.py"))


def imports(module: Path) -> set[str]:
    """Top-level names of everything that a module imports, at its top or later."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.partition(".")[0])
    return found


def declared(package: Path) -> set[str]:
    """Names of the distributions that a package declares, optional ones included."""
    project = tomllib.loads((package / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = [need for needs in project.get("optional-dependencies", {}).values() for need in needs]
    return {canonicalize_name(Requirement(need).name) for need in [*project["dependencies"], *optional]}


def distributions(name: str) -> set[str]:
    """The distributions that provide a top-level import name."""
    if name.startswith("argus_"):
        return {canonicalize_name(name)}
    return {canonicalize_name(found) for found in packages_distributions().get(name, [])}


def test_the_import_contracts_are_kept() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([str(linter), "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout


@pytest.mark.parametrize("package", PACKAGES, ids=import_name)
def test_a_package_declares_what_it_imports(package: Path) -> None:
    needs = declared(package)
    used = {name for module in modules(package) for name in imports(module)} - sys.stdlib_module_names
    missing = {name for name in used - {import_name(package)} if not distributions(name) & needs}
    assert not missing, f"{package.name}: imported, but not in its pyproject.toml: {sorted(missing)}"


@pytest.mark.parametrize("package", PACKAGES, ids=import_name)
def test_a_package_never_imports_the_tests_or_the_tools(package: Path) -> None:
    tools = {"pytest", "hypothesis", "mypy", "ruff", "bench", "tests", "scripts"}
    assert not tools & {name for module in modules(package) for name in imports(module)}


@pytest.mark.parametrize("package", [p for p in PACKAGES if import_name(p) in TORCH_FREE], ids=import_name)
def test_no_torch_where_none_is_needed(package: Path) -> None:
    assert not TORCH & {name for module in modules(package) for name in imports(module)}
    assert not {canonicalize_name(name) for name in TORCH} & declared(package)


def clock_readings(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name | ast.Attribute):
            owner = node.value.attr if isinstance(node.value, ast.Attribute) else node.value.id
            if f"{owner}.{node.attr}" in CLOCKS:
                yield f"{module.relative_to(ROOT)}:{node.lineno}: {owner}.{node.attr}"
        if isinstance(node, ast.Name) and node.id == "SystemClock":
            yield f"{module.relative_to(ROOT)}:{node.lineno}: SystemClock"


DOMAINS = [
    *ROOT.glob("services/*/argus_*/domain/**/*.py"),
    *ROOT.glob("libs/argus_forecasting/argus_forecasting/**/*.py"),
]


def test_no_domain_has_a_clock_of_its_own() -> None:
    assert [reading for module in sorted(DOMAINS) for reading in clock_readings(module)] == []


def test_the_search_for_clocks_finds_them() -> None:
    found = {reading.rpartition(" ")[2] for reading in clock_readings(ROOT / "libs/argus_common/argus_common/clock.py")}
    assert found == {"time.time_ns", "time.monotonic"}
