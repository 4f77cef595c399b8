"""A Kubernetes to install into: one that is there (``KUBECONFIG``), or a control plane started for the tests."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from argus_site import free_port
from deploy_settings import ROOT
from helm_chart import CHART, helm

KIT, BINARIES = "ARGUS_KUBEKIT", "ARGUS_KUBEKIT_BIN"
"""Folder with up.sh DIR BIN and down.sh DIR, and the folder of what they start (kubectl, helm and a control plane)."""
TIMEOUT = "120s"


@dataclass(frozen=True, slots=True)
class Cluster:
    """A namespace of ours, under the restricted pod security standard."""

    environment: Mapping[str, str]
    namespace: str

    def kubectl(self, *arguments: str, given: str | None = None) -> str:
        """What kubectl prints.

        Raises:
            AssertionError: it failed; the text has its reason.
        """
        return self._run("kubectl", *arguments, given=given)

    def helm(self, *arguments: str) -> str:
        """What helm prints; AssertionError where it failed."""
        return self._run(helm(), *arguments, "--namespace", self.namespace)

    def objects(self, kind: str) -> dict[str, dict[str, Any]]:
        """The objects of a kind in the namespace, by name."""
        found = json.loads(self.kubectl("get", kind, "-n", self.namespace, "-o", "json"))
        return {item["metadata"]["name"]: item for item in found["items"]}

    def left_of(self, release: str) -> list[str]:
        """Everything in the namespace that still belongs to a release, or to Helm."""
        kinds = self.kubectl("api-resources", "--namespaced", "--verbs=list", "-o", "name").split()
        selected = ["-l", f"app.kubernetes.io/instance={release}", "-n", self.namespace, "-o", "name"]
        kept = self.kubectl("get", "secrets", "-n", self.namespace, "-l", "owner=helm", "-o", "name").split()
        return self.kubectl("get", ",".join(kinds), *selected).split() + kept

    def _run(self, *command: str, given: str | None = None) -> str:
        done = subprocess.run(
            command, env=dict(self.environment), input=given, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
        return done.stdout


@contextmanager
def cluster(folder: Path) -> Iterator[Cluster]:
    """A cluster with a fresh namespace, or this test is skipped."""
    kit, binaries = os.environ.get(KIT), os.environ.get(BINARIES)
    if kit and binaries:
        with _started(Path(kit), Path(binaries), folder) as environment:
            yield _prepared(environment)
    elif os.environ.get("KUBECONFIG") and shutil.which("kubectl"):
        yield from _lent()
    else:
        pytest.skip(f"no Kubernetes here: set KUBECONFIG (with kubectl on PATH), or {KIT} and {BINARIES}")


@contextmanager
def _started(kit: Path, binaries: Path, folder: Path) -> Iterator[dict[str, str]]:
    port = free_port()
    environment = os.environ | {"PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}", "KUBEKIT_PORT": str(port)}
    try:
        subprocess.run([kit / "up.sh", folder, binaries], env=environment, check=True, stdout=subprocess.DEVNULL)
        yield environment | {"KUBECONFIG": str(folder / "kubeconfig")}
    finally:
        subprocess.run([kit / "down.sh", folder], check=False)


def _prepared(environment: Mapping[str, str]) -> Cluster:
    made = Cluster(environment, "argus-test")
    made.kubectl("apply", "-f", str(ROOT / "tests" / "deploy" / "crds" / "monitoring.yaml"))
    for name in ("podmonitors.monitoring.coreos.com", "prometheusrules.monitoring.coreos.com", "scaledobjects.keda.sh"):
        made.kubectl("wait", "--for=condition=Established", f"crd/{name}", "--timeout=30s")
    made.kubectl("create", "namespace", made.namespace)
    made.kubectl("label", "namespace", made.namespace, "pod-security.kubernetes.io/enforce=restricted")
    return made


def _lent() -> Iterator[Cluster]:
    """Somebody's cluster: only our namespace is made there, and removed. It has the operators' resources."""
    made = Cluster(dict(os.environ), "argus-test")
    made.kubectl("create", "namespace", made.namespace)
    try:
        made.kubectl("label", "namespace", made.namespace, "pod-security.kubernetes.io/enforce=restricted")
        yield made
    finally:
        made.kubectl("delete", "namespace", made.namespace)


def values(name: str) -> list[str]:
    """The chart, and one of its files of example values."""
    return [str(CHART), "--values", str(CHART / "ci" / f"{name}-values.yaml"), "--wait", "--timeout", TIMEOUT]
