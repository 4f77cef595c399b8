"""The Helm chart, rendered."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from deploy_settings import ROOT

CHART = ROOT / "deploy" / "helm" / "argus"
CI_VALUES = sorted((CHART / "ci").glob("*-values.yaml"))
Manifest = dict[str, Any]


def helm() -> str:
    """The helm program, or this test is skipped."""
    beside = Path(sys.executable).with_name("helm")
    found = str(beside) if beside.exists() else shutil.which("helm")
    if found is None:
        pytest.skip("no helm here: the package helm-binary brings it on Linux x86_64, elsewhere install Helm 3")
    return found


def template(*options: str) -> subprocess.CompletedProcess[str]:
    """What ``helm template`` says to these options."""
    command = [helm(), "template", "t", str(CHART), "--namespace", "watch", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def rendered(values: Path, *options: str) -> list[Manifest]:
    """The objects that the chart makes of a file of values."""
    done = template("--values", str(values), *options)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def pod_of(manifest: Manifest) -> dict[str, Any]:
    """The pod's spec in whatever makes pods."""
    spec: dict[str, Any] = manifest["spec"]
    return spec if manifest["kind"] == "Pod" else dict(spec["template"]["spec"])


def makes_pods(manifest: Manifest) -> bool:
    """Whether an object makes pods."""
    return manifest["kind"] in {"Deployment", "Job", "Pod"}
