"""The compose file: valid, and every variable, file and image in it exists."""

import json
import re
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from deploy_settings import ROOT, known_variables, read_yaml, runnable_services

FILE = ROOT / "deploy" / "docker-compose.yml"
COMPOSE: dict[str, Any] = read_yaml(FILE)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if str(service["image"]).startswith("argus/")}


def mounts(service: dict[str, Any]) -> list[str]:
    return [volume.split(":")[0] for volume in service.get("volumes", [])]


def test_it_is_valid_by_the_compose_specification() -> None:
    schema = files("check_jsonschema.builtin_schemas.vendor") / "compose-spec.json"
    jsonschema.validate(COMPOSE, json.loads(schema.read_text(encoding="utf-8")))


def test_every_service_that_can_be_started_is_in_it() -> None:
    assert runnable_services() <= OURS.keys()


@pytest.mark.parametrize("name", OURS)
def test_a_service_is_told_only_what_it_can_be_told(name: str) -> None:
    told = {variable for variable in OURS[name]["environment"] if variable.startswith("ARGUS_")}
    assert told
    assert told <= known_variables()


@pytest.mark.parametrize("name", OURS)
def test_a_service_can_be_built_and_runs_without_rights(name: str) -> None:
    service = OURS[name]
    context = FILE.parent / service["build"]["context"]
    assert (context / service["build"]["dockerfile"]).exists()
    assert service["read_only"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", OURS)
def test_a_service_starts_when_what_it_needs_answers(name: str) -> None:
    gates = {needed: gate["condition"] for needed, gate in OURS[name]["depends_on"].items()}
    if name == "topics":
        assert gates == {"kafka": "service_healthy"}
    else:
        assert gates == {"topics": "service_completed_successfully", "redis": "service_healthy"}
    assert all("healthcheck" in SERVICES[needed] for needed in gates)


@pytest.mark.parametrize("name", SERVICES)
def test_every_mounted_file_and_volume_exists(name: str) -> None:
    for mounted in mounts(SERVICES[name]):
        if mounted.startswith("."):
            assert (FILE.parent / mounted).exists(), mounted
        else:
            assert mounted in COMPOSE["volumes"]


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_open_to_this_machine_only(name: str) -> None:
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", []))


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_has_a_version_and_can_be_replaced(name: str) -> None:
    assert re.fullmatch(
        r"\$\{\w+_IMAGE:-[\w./-]+:v?\d[\w.-]*\}|argus/\w+:\$\{ARGUS_VERSION:-dev\}", SERVICES[name]["image"]
    )


def test_the_profiles_add_the_demo_and_what_one_looks_at() -> None:
    profiles = {name: service.get("profiles", []) for name, service in SERVICES.items()}
    assert {name for name, held in profiles.items() if held == ["demo"]} == {"simulator"}
    assert {name for name, held in profiles.items() if held == ["observability"]} == {
        "prometheus",
        "alertmanager",
        "grafana",
    }
    assert all(not held or len(held) == 1 for held in profiles.values())


def test_prometheus_scrapes_every_service_under_the_name_that_compose_gives_it() -> None:
    jobs = read_yaml(FILE.parent / "prometheus" / "prometheus.yml")["scrape_configs"]
    found = {job["job_name"]: job["dns_sd_configs"][0]["names"] for job in jobs}
    assert found == {f"argus-{name}": [name] for name in sorted(runnable_services(), key=list(SERVICES).index)}


def test_grafana_finds_its_dashboards_where_they_are_mounted() -> None:
    provider = read_yaml(Path(FILE.parent / "grafana/provisioning/dashboards/argus.yaml"))["providers"][0]
    assert f"./grafana/dashboards:{provider['options']['path']}:ro" in SERVICES["grafana"]["volumes"]
    home = SERVICES["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (FILE.parent / "grafana" / "dashboards" / Path(home).name).exists()
