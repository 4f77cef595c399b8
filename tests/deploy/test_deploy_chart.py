"""The Helm chart as it is rendered: valid objects, no rights, and no value that nobody knows."""

import copy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
from bench import alone
from deploy_settings import ROOT, known_variables, read_yaml, runnable_services
from helm_chart import CHART, CI_VALUES, Manifest, makes_pods, pod_of, rendered, template

VALUES: dict[str, Any] = read_yaml(CHART / "values.yaml")
MINIMAL, FULL, GPU = (CHART / "ci" / f"{name}-values.yaml" for name in ("minimal", "full", "gpu"))
KUBERNETES = "1.27"
"""The oldest that the chart names."""
SECRET = "hunter2"
OPERATORS = {"PodMonitor", "PrometheusRule", "ScaledObject"}
FREE = {"global", "podSecurityContext", "containerSecurityContext"}
"""Kubernetes' own words, which the API server checks."""


def objects(values: Path = FULL) -> list[Manifest]:
    return rendered(values)


def named(manifests: list[Manifest], kind: str) -> dict[str, Manifest]:
    return {manifest["metadata"]["name"]: manifest for manifest in manifests if manifest["kind"] == kind}


@pytest.mark.parametrize("values", CI_VALUES, ids=lambda file: str(file.stem))
def test_every_object_is_valid_kubernetes(values: Path) -> None:
    checked = [manifest for manifest in objects(values) if manifest["kind"] not in OPERATORS]
    assert len(checked) > 5
    for manifest in checked:
        kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def test_every_service_that_can_be_started_is_an_entry() -> None:
    assert set(VALUES["services"]) == runnable_services()
    assert {f"t-argus-{name}" for name in runnable_services()} == set(named(objects(), "Deployment"))


@pytest.mark.parametrize("values", CI_VALUES, ids=lambda file: str(file.stem))
def test_a_service_is_told_only_what_it_can_be_told(values: Path) -> None:
    for manifest in filter(makes_pods, objects(values)):
        for container in pod_of(manifest)["containers"]:
            told = {item["name"] for item in container.get("env", []) if item["name"].startswith("ARGUS_")}
            assert told <= known_variables()


@pytest.mark.parametrize("values", CI_VALUES, ids=lambda file: str(file.stem))
def test_pods_have_no_rights(values: Path) -> None:
    for manifest in filter(makes_pods, objects(values)):
        pod = pod_of(manifest)
        trains = manifest["metadata"]["name"] == "t-argus-retrainer"
        assert pod["automountServiceAccountToken"] is trains
        assert pod["securityContext"]["runAsNonRoot"] is True
        for container in pod["containers"]:
            security = container["securityContext"]
            assert security["readOnlyRootFilesystem"] is True
            assert security["allowPrivilegeEscalation"] is False
            assert security["capabilities"] == {"drop": ["ALL"]}
            assert container["resources"]["limits"]["memory"]
            assert container["resources"]["requests"]["cpu"]


def test_only_the_retrainer_may_do_something_in_kubernetes_and_that_is_jobs() -> None:
    roles, bindings = named(objects(), "Role"), named(objects(), "RoleBinding")
    assert roles.keys() == bindings.keys() == {"t-argus-retrainer"}
    rules = roles["t-argus-retrainer"]["rules"]
    assert rules == [{"apiGroups": ["batch"], "resources": ["jobs"], "verbs": ["create", "get", "delete"]}]
    account = pod_of(named(objects(), "Deployment")["t-argus-retrainer"])["serviceAccountName"]
    assert [subject["name"] for subject in bindings["t-argus-retrainer"]["subjects"]] == [account]


def test_without_jobs_the_retrainer_has_no_rights_either() -> None:
    options = ("--set", "services.retrainer.env.ARGUS_RETRAINER_LAUNCHER=local")
    assert not [manifest for manifest in rendered(FULL, *options) if "Role" in manifest["kind"]]


def test_no_secret_is_written_into_an_object() -> None:
    for manifest in filter(makes_pods, objects()):
        for container in pod_of(manifest)["containers"]:
            secret = [item for item in container.get("env", []) if item["name"].endswith(("PASSWORD", "USERNAME"))]
            assert all(
                "secretKeyRef" in item.get("valueFrom", {}) for item in secret if "REDIS_USER" not in item["name"]
            )
    assert not named(objects(), "Secret")


def test_each_service_can_have_an_account_of_its_own_for_kafka() -> None:
    found = {}
    for name, manifest in {**named(objects(), "Deployment"), **named(objects(), "Job")}.items():
        environment = {item["name"]: item for item in pod_of(manifest)["containers"][0]["env"]}
        found[name] = environment["ARGUS_KAFKA_PASSWORD"]["valueFrom"]["secretKeyRef"]["name"]
    assert found == {
        "t-argus-ingest": "kafka-ingest",
        "t-argus-inference": "kafka-inference",
        "t-argus-cascade": "kafka-cascade",
        "t-argus-drift": "kafka-drift",
        "t-argus-retrainer": "kafka-retrainer",
        "t-argus-simulator": "kafka-admin",
        "t-argus-topics": "kafka-admin",
    }


def test_a_gpu_is_asked_for_where_it_is_wanted_and_nowhere_else() -> None:
    deployments = named(objects(GPU), "Deployment")
    inference, ingest = (pod_of(deployments[f"t-argus-{name}"]) for name in ("inference", "ingest"))
    assert inference["containers"][0]["resources"]["limits"] == {"memory": "3Gi", "nvidia.com/gpu": 1}
    assert inference["containers"][0]["image"].endswith(":0.1.0-cuda")
    assert inference["runtimeClassName"] == "nvidia"
    assert "nvidia.com/gpu" not in ingest["containers"][0]["resources"]["limits"]
    assert "runtimeClassName" not in ingest


def test_scaling_goes_by_the_true_lag() -> None:
    trigger = named(objects(), "ScaledObject")["t-argus-ingest"]["spec"]["triggers"][0]
    assert trigger["metadata"]["query"] == 'sum(argus_ingest_lag_records{namespace="watch", pod=~"t-argus-ingest-.+"})'
    deployment = named(objects(), "Deployment")["t-argus-ingest"]
    assert "replicas" not in deployment["spec"]


def test_jobs_are_named_as_rules_and_dashboards_name_them() -> None:
    endpoint = named(objects(), "PodMonitor")["t-argus"]["spec"]["podMetricsEndpoints"][0]
    assert endpoint["relabelings"][0] == {
        "sourceLabels": ["__meta_kubernetes_pod_label_app_kubernetes_io_component"],
        "targetLabel": "job",
        "replacement": "argus-$1",
    }


def test_the_rules_in_the_chart_are_those_that_are_tested_with_links_to_the_runbooks() -> None:
    deployed = read_yaml(ROOT / "deploy" / "prometheus" / "rules" / "argus.yaml")["groups"]
    wanted = copy.deepcopy(deployed)
    for rule in (rule for group in wanted for rule in group["rules"] if "alert" in rule):
        page = rule["annotations"]["runbook_url"].removeprefix("docs/runbooks/")
        rule["annotations"]["runbook_url"] = f"https://runbooks.example/argus/{page}"
    assert named(objects(), "PrometheusRule")["t-argus"]["spec"]["groups"] == wanted


def test_the_dashboards_in_the_chart_are_those_that_are_tested() -> None:
    found: dict[str, str] = {}
    for manifest in named(objects(), "ConfigMap").values():
        if manifest["metadata"].get("labels", {}).get("grafana_dashboard") == "1":
            found |= manifest["data"]
    files = (ROOT / "deploy" / "grafana" / "dashboards").glob("*.json")
    assert found == {file.name: file.read_text(encoding="utf-8") for file in files}


@pytest.mark.parametrize("values", CI_VALUES, ids=lambda file: str(file.stem))
def test_selectors_meet_their_pods_and_names_are_unique(values: Path) -> None:
    manifests = objects(values)
    pods = [manifest["spec"]["template"]["metadata"]["labels"] for manifest in named(manifests, "Deployment").values()]
    budgets = named(manifests, "PodDisruptionBudget").values()
    selectors = [budget["spec"]["selector"]["matchLabels"] for budget in budgets]
    selectors += [service["spec"]["selector"] for service in named(manifests, "Service").values()]
    assert all(sum(selector.items() <= pod.items() for pod in pods) == 1 for selector in selectors)
    keys = [(manifest["kind"], manifest["metadata"]["name"]) for manifest in manifests]
    assert len(set(keys)) == len(keys)


def test_a_pod_lives_in_its_image() -> None:
    for name, manifest in named(objects(MINIMAL), "Deployment").items():
        image = pod_of(manifest)["containers"][0]["image"]
        assert image == f"argus/{name.removeprefix('t-argus-')}:0.1.0"
        assert image.split("/")[1].split(":")[0] in alone.services()


def places(node: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every map of the values whose keys are the chart's own words."""
    yield path
    for key, value in node.items():
        free = key in FREE or (path and key in ("requests", "limits", "labels", "annotations", "rollingUpdate"))
        if isinstance(value, dict) and value and not free and key != "env":
            yield from places(value, (*path, key))


@pytest.mark.parametrize("place", list(places(VALUES)), ids=lambda place: ".".join(place) or "top")
def test_a_typo_anywhere_is_refused_by_name(place: tuple[str, ...]) -> None:
    path = ".".join((*place, "typo"))
    done = template("--values", str(MINIMAL), "--set", f"{path}=1")
    assert done.returncode != 0
    assert "Additional property typo is not allowed" in done.stderr


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ("kafka.bootstrapServers=kafka", "kafka.bootstrapServers: Does not match pattern"),
        (f"redis.url=redis://user:{SECRET}@redis", "redis.url: Does not match pattern"),
        ("logLevel=LOUD", "logLevel: logLevel must be one of"),
        ("services.ingest.replicaCount=-1", "replicaCount: Must be greater than or equal to 0"),
        ("services.ingest.env.step=5", 'Property name of "step" does not match'),
        ("kafka.sasl.mechanism=SCRAM-SHA-512", "kafka.sasl.existingSecret must be set with kafka.sasl.mechanism"),
        ("kafka.bootstrapServers=", "kafka.bootstrapServers must be set: host:port of your brokers"),
        ("redis.url=", "redis.url must be set: redis://host:port/database"),
    ],
)
def test_a_wrong_value_is_refused_with_what_to_do(wrong: str, told: str) -> None:
    done = template("--values", str(MINIMAL), "--set", wrong)
    assert done.returncode != 0
    assert told in done.stderr


def test_keda_says_what_it_needs() -> None:
    scaled = "services.ingest.autoscaling"
    done = template("--values", str(MINIMAL), "--set", f"{scaled}.enabled=true,{scaled}.kind=keda")
    assert "services.ingest.autoscaling.keda.serverAddress must be set" in done.stderr
