"""The alerting and recording rules: complete, tested by promtool, each with its page."""

import re
import subprocess

import pytest
from deploy_settings import ROOT, read_yaml
from prometheus_site import DEPLOYED, binary

RULES = [rule for group in read_yaml(DEPLOYED / "rules" / "argus.yaml")["groups"] for rule in group["rules"]]
ALERTS = [rule for rule in RULES if "alert" in rule]
UNIT_TESTS = sorted((DEPLOYED / "tests").glob("*_test.yaml"))
RUNBOOKS = ROOT / "docs" / "runbooks"


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_how_bad_it_is_what_it_means_and_what_to_do(rule: dict[str, dict[str, str]]) -> None:
    assert re.fullmatch(r"Argus([A-Z][a-z]+)+", str(rule["alert"]))
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert set(rule["annotations"]) == {"summary", "description", "runbook_url"}
    page = ROOT / rule["annotations"]["runbook_url"]
    assert page.read_text(encoding="utf-8").startswith(f"# {rule['alert']}\n")


def test_every_runbook_is_of_an_alert_and_listed() -> None:
    pages = {page.name for page in RUNBOOKS.glob("*.md")} - {"README.md"}
    assert pages == {rule["annotations"]["runbook_url"].rsplit("/", 1)[1] for rule in ALERTS}
    assert set(re.findall(r"\]\(([\w-]+\.md)\)", (RUNBOOKS / "README.md").read_text(encoding="utf-8"))) == pages


def test_every_alert_has_a_unit_test_in_which_it_fires() -> None:
    tests = [test for file in UNIT_TESTS for test in read_yaml(file)["tests"]]
    checks = [check for test in tests for check in test.get("alert_rule_test", [])]
    assert {check["alertname"] for check in checks if check.get("exp_alerts")} == {rule["alert"] for rule in ALERTS}


def test_the_unit_tests_of_the_rules_pass() -> None:
    done = subprocess.run(
        [binary("promtool"), "test", "rules", *(file.name for file in UNIT_TESTS)],
        cwd=DEPLOYED / "tests",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_and_alertmanager_accept_their_configuration() -> None:
    for command in (
        [binary("promtool"), "check", "config", "prometheus.yml"],
        [binary("amtool"), "check-config", "alertmanager.yml"],
    ):
        done = subprocess.run(command, cwd=DEPLOYED, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
