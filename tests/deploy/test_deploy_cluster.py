"""The Helm chart on a real Kubernetes API: objects are admitted, scheduled and become ready; `make helm-test`."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from helm_chart import CHART, CI_VALUES, template
from kube_site import Cluster, cluster, values

RELEASE = "t"
KINDS = (
    "deployments", "services", "poddisruptionbudgets", "networkpolicies", "serviceaccounts", "configmaps",
    "roles", "rolebindings", "persistentvolumeclaims", "horizontalpodautoscalers",
    "scaledobjects", "podmonitors", "prometheusrules",
)  # fmt: skip


@pytest.fixture(scope="module")
def kube(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("kube")) as made:
        yield made


def names(kube: Cluster) -> dict[str, set[str]]:
    return {kind: {name for name in kube.objects(kind) if name.startswith(RELEASE)} for kind in KINDS}


def pods_as_told(kube: Cluster) -> dict[str, Any]:
    return {name: item["spec"]["template"]["spec"] for name, item in kube.objects("deployments").items()}


@pytest.mark.parametrize("file", CI_VALUES, ids=lambda file: str(file.stem))
def test_every_object_is_admitted_and_has_no_unknown_field(kube: Cluster, file: Path) -> None:
    done = template("--values", str(file))
    told = kube.kubectl(
        "apply", "--dry-run=server", "--validate=strict", "-n", kube.namespace, "-f", "-",
        given=done.stdout.replace("namespace: watch", f"namespace: {kube.namespace}"),
    )  # fmt: skip
    assert told.count("(server dry run)") == len(told.splitlines()) > 5


def test_a_release_is_installed_tested_changed_rolled_back_and_leaves_nothing(kube: Cluster) -> None:
    kube.helm("install", RELEASE, *values("minimal"))
    first, pods = names(kube), pods_as_told(kube)
    assert first["deployments"] == {"t-argus-ingest", "t-argus-inference", "t-argus-cascade", "t-argus-drift"}
    for deployment in kube.objects("deployments").values():
        assert deployment["status"]["availableReplicas"] == 1
    assert "Phase:          Succeeded" in kube.helm("test", RELEASE)

    kube.helm("upgrade", RELEASE, *values("full"))
    second = names(kube)
    assert second["deployments"] == first["deployments"] | {"t-argus-simulator", "t-argus-retrainer"}
    assert second["scaledobjects"] == {"t-argus-ingest"}
    assert second["horizontalpodautoscalers"] == {"t-argus-inference"}
    assert second["networkpolicies"] == second["podmonitors"] == second["prometheusrules"] == {"t-argus"}
    assert second["persistentvolumeclaims"] == {"t-argus-models"}
    assert len(second["configmaps"]) == len(list(CHART.glob("files/dashboards/*.json"))) + 1
    assert all(pods_as_told(kube)[name] != told for name, told in pods.items())

    kube.helm("rollback", RELEASE, "1", "--wait", "--timeout", "120s")
    assert names(kube) == first
    assert pods_as_told(kube) == pods

    kube.helm("uninstall", RELEASE, "--wait")
    assert kube.left_of(RELEASE) == []


def test_a_wrong_value_is_refused_before_anything_is_installed(kube: Cluster) -> None:
    with pytest.raises(AssertionError, match="Additional property replicaCout is not allowed"):
        kube.helm("install", "wrong", *values("minimal"), "--set", "services.ingest.replicaCout=2")
    with pytest.raises(AssertionError, match=r"quantities must match|unable to parse quantity"):
        kube.helm("install", "wrong", *values("minimal"), "--set", "services.ingest.resources.requests.memory=lots")
    kube.helm("uninstall", "wrong", "--ignore-not-found", "--wait")
    assert kube.left_of("wrong") == []
