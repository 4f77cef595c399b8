"""What the services can be told, and the files that tell them."""

import importlib
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic_settings import BaseSettings

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ROOT / "services"


def runnable_services() -> set[str]:
    """The services that can be started."""
    return {entry.parent.name.removeprefix("argus_") for entry in SERVICES.glob("*/argus_*/__main__.py")}


@cache
def known_variables() -> frozenset[str]:
    """Every environment variable that a settings class reads."""
    names = ["argus_common.settings", *(f"argus_{name}.settings" for name in runnable_services())]
    modules = [importlib.import_module(name) for name in names]
    found = [item for module in modules for item in vars(module).values()]
    kinds = [item for item in found if isinstance(item, type) and issubclass(item, BaseSettings)]
    return frozenset(
        f"{kind.model_config.get('env_prefix', '')}{field.upper()}" for kind in kinds for field in kind.model_fields
    )


def read_yaml(file: Path) -> Any:  # noqa: ANN401 - whatever the file holds
    """The only document of a file."""
    return yaml.safe_load(file.read_text(encoding="utf-8"))
