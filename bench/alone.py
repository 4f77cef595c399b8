"""A service installed alone, as its image has it: what its Dockerfile copies, in an environment of its own."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("./libs/", "./services/")
COPIED = re.compile(r"^COPY ((?:libs|services)/\S+) \1$", re.MULTILINE)


def services() -> list[str]:
    """The services that have an image."""
    return sorted(file.parent.name for file in ROOT.glob("services/*/Dockerfile"))


def packages(service: str) -> list[str]:
    """The folders that the image of ``service`` installs, from the root of the repository."""
    return COPIED.findall((ROOT / "services" / service / "Dockerfile").read_text(encoding="utf-8"))


def needs_torch(service: str) -> bool:
    """Whether the image of ``service`` has torch."""
    return "TORCH_BACKEND" in (ROOT / "services" / service / "Dockerfile").read_text(encoding="utf-8")


def install(service: str, folder: Path) -> Path:
    """The interpreter of a fresh environment under ``folder`` with the packages of ``service`` and what they declare.

    Raises:
        CalledProcessError: something it declares can't be had.
    """
    uv, python = Path(sys.executable).with_name("uv"), folder / "bin" / "python"
    pins = folder.with_suffix(".pins")
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pins.write_text("\n".join(line for line in lock if not line.startswith("-e")), encoding="utf-8")
    subprocess.run([uv, "venv", "--quiet", "--no-config", "--python", sys.executable, folder], check=True)
    options = ["--quiet", "--no-config", "--no-editable", "--python", str(python), "--constraint", str(pins)]
    text = (ROOT / "services" / service / "Dockerfile").read_text(encoding="utf-8")
    wanted = [part.strip("'") for part in text.split() if part.strip("'").startswith(PACKAGES)]
    subprocess.run([str(uv), "pip", "install", *options, *wanted], cwd=ROOT, check=True)
    return python


def installed_mb(folder: Path) -> float:
    """Size of all files under ``folder`` in MB; a link counts nothing."""
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file() and not file.is_symlink()) / 1e6
