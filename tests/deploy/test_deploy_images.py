"""The images: one per service, alike but for what the service needs, and enough to run it alone."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bench import alone
from deploy_settings import ROOT, runnable_services

TORCH_LINES = re.compile(r'^(?:# --build-arg TORCH.*|ARG TORCH.*)\n| --torch-backend "[^"]+"', re.MULTILINE)

MOST_MEGABYTES = 300


def text(service: str) -> str:
    return (ROOT / "services" / service / "Dockerfile").read_text(encoding="utf-8")


def common_part(service: str) -> list[str]:
    """The Dockerfile without the service's name, its packages and torch."""
    plain = TORCH_LINES.sub("", text(service)).replace(f"argus_{service}", "argus_NAME")
    plain = re.sub(r"^COPY (libs|services)/.*\n", "", plain, flags=re.MULTILINE)
    plain = re.sub(r"^    '?\./libs/.*$", "    PACKAGES", plain, flags=re.MULTILINE)
    return plain.replace(service, "NAME").splitlines()


def test_every_service_that_can_be_started_has_an_image() -> None:
    assert set(alone.services()) == runnable_services()


@pytest.mark.parametrize("service", alone.services())
def test_images_differ_only_in_name_packages_and_torch(service: str) -> None:
    assert common_part(service) == common_part("ingest")


@pytest.mark.parametrize("service", alone.services())
def test_an_image_installs_what_it_copies(service: str) -> None:
    installed = re.findall(r" '?\./((?:libs|services)/\w+)", text(service))
    assert alone.packages(service) == installed
    assert all((ROOT / package / "pyproject.toml").exists() for package in installed)


def test_only_what_serves_or_trains_models_has_torch() -> None:
    assert {service for service in alone.services() if alone.needs_torch(service)} <= {"inference", "retrainer"}


def test_hadolint_finds_nothing() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    if not hadolint.exists():
        pytest.skip("hadolint is not installed here: it ships binaries for Linux on x86_64 and a few others")
    files = [ROOT / "services" / service / "Dockerfile" for service in alone.services()]
    done = subprocess.run([hadolint, *files], capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == ""
    assert done.returncode == 0


@pytest.mark.slow
@pytest.mark.parametrize("service", alone.services())
def test_what_a_service_declares_is_enough_to_start_it_alone(service: str, tmp_path: Path) -> None:
    python = alone.install(service, tmp_path / service)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ARGUS_", "PYTHON"))}
    done = subprocess.run(
        [python, "-m", f"argus_{service}"],
        env=environment | {"ARGUS_OPS_LOG_LEVEL": "LOUD"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    wrong = "String should match pattern '^(DEBUG|INFO|WARNING|ERROR)$'"
    assert done.stderr == f"configuration: settings: ARGUS_OPS_LOG_LEVEL: {wrong}\n"
    assert done.returncode == 2
    whole = (
        f"import importlib, pkgutil, argus_{service} as root\n"
        "for m in pkgutil.walk_packages(root.__path__, root.__name__ + '.'):\n"
        "    if not m.name.endswith('__main__'): importlib.import_module(m.name)\n"
    )
    subprocess.run([python, "-c", whole], env=environment, cwd=tmp_path, check=True)
    found = subprocess.run(
        [python, "-c", "import importlib.metadata as m; print(*(d.name for d in m.distributions()))"],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
        cwd=tmp_path,
    )
    names = {name.lower() for name in found.stdout.split()}
    assert ("torch" in names) == alone.needs_torch(service)
    assert names.isdisjoint({"pip", "uv", "hatchling"})


LOOK_AROUND = """
import importlib.util, os, pathlib, argus_{service}
installed = pathlib.Path('/opt/argus')
size = sum(f.stat().st_size for f in installed.rglob('*') if f.is_file() and not f.is_symlink())
pip, writable = importlib.util.find_spec('pip') is not None, os.access(installed, os.W_OK)
print(os.getuid(), pip, writable, size // 1_000_000)
"""


@pytest.mark.slow
@pytest.mark.parametrize("service", alone.services())
def test_an_image_is_built_and_runs_as_a_user_without_rights(service: str) -> None:
    """ARGUS_TEST_PYTHON_IMAGE: a base that buildah can have; ARGUS_TEST_TORCH_BACKEND: builds those with torch, too."""
    buildah, base = shutil.which("buildah"), os.environ.get("ARGUS_TEST_PYTHON_IMAGE")
    torch = os.environ.get("ARGUS_TEST_TORCH_BACKEND")
    if buildah is None or base is None:
        pytest.skip("no buildah, or ARGUS_TEST_PYTHON_IMAGE names no base for the images")
    if alone.needs_torch(service) and torch is None:
        pytest.skip("torch comes from an index of its own: name a backend in ARGUS_TEST_TORCH_BACKEND")

    def told(*words: str) -> str:
        done = subprocess.run([buildah, *words], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    image = f"localhost/argus-test/{service}"
    arguments = [f"PYTHON_IMAGE={base}", *([f"TORCH_BACKEND={torch}"] if alone.needs_torch(service) else [])]
    given = [word for argument in arguments for word in ("--build-arg", argument)]
    told("build", "--network", "host", *given, "--file", f"services/{service}/Dockerfile", "--tag", image, ".")
    container = told("from", image).strip()
    try:
        look = LOOK_AROUND.format(service=service)
        found = told("run", "--user", "10001:10001", container, "--", "python", "-c", look)
    finally:
        told("rm", container)
    user, pip, writable, megabytes = found.split()
    assert (user, pip, writable) == ("10001", "False", "False")
    if not alone.needs_torch(service):
        assert int(megabytes) <= MOST_MEGABYTES, "what a service without torch adds to the base of its image"
