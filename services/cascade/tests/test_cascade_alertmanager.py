"""Cascades told to a real Alertmanager; the test skips where its program is not on this machine."""

import asyncio
import json
import os
import shutil
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from argus_site import Site, free_port, until
from cascade_site import event_id, publish, start_cascade, step_of, wait_for_cascades

NAMES = "prometheus-alertmanager", "alertmanager"
PROGRAM = os.environ.get("ARGUS_TEST_ALERTMANAGER") or next(filter(None, map(shutil.which, NAMES)), None)
SERVERS = [f"web{i}" for i in range(6)]

needs_alertmanager = pytest.mark.skipif(
    PROGRAM is None,
    reason="no Alertmanager on this machine: install prometheus-alertmanager, or name one in ARGUS_TEST_ALERTMANAGER",
)


@dataclass
class Inbox:
    """What Alertmanager's webhook was told: (status, severity) of each alert of each notification."""

    port: int = 0
    notified: list[list[tuple[str, str]]] = field(default_factory=list)


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    found = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found.notified.append(sorted((one["status"], one["labels"]["severity"]) for one in body["alerts"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    found.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
    thread.start()
    yield found
    server.shutdown()
    server.server_close()
    thread.join(5)


class Alertmanager:
    """A real one, with a webhook and the usual inhibition."""

    def __init__(self, folder: Path, inbox: Inbox) -> None:
        self.folder, self.port = folder, free_port()
        self.process: subprocess.Popen[bytes] | None = None
        inhibition = {
            "source_matchers": ["severity=critical"],
            "target_matchers": ["severity=warning"],
            "equal": ["alertname", "fleet", "cascade"],
        }
        route = {"receiver": "hook", "group_by": ["fleet", "cascade"], "group_wait": "0s", "group_interval": "1s"}
        hook = {"url": f"http://127.0.0.1:{inbox.port}/", "send_resolved": True}
        config = {
            "route": route,
            "inhibit_rules": [inhibition],
            "receivers": [{"name": "hook", "webhook_configs": [hook]}],
        }
        (folder / "am.yml").write_text(json.dumps(config))  # JSON is YAML

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        assert PROGRAM is not None
        with (self.folder / "am.log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    PROGRAM,
                    f"--config.file={self.folder / 'am.yml'}",
                    f"--storage.path={self.folder / 'am'}",
                    f"--web.listen-address=127.0.0.1:{self.port}",
                    "--cluster.listen-address=",
                ],
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        until(self.ready, "Alertmanager to be ready")

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(10)

    def ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=2):
                return True
        except OSError:
            return False

    def alerts(self) -> list[dict[str, Any]]:
        """Those that fire, inhibited or not."""
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts", timeout=5) as answer:
            found: list[dict[str, Any]] = json.load(answer)
        return sorted(found, key=lambda alert: str(alert["labels"]["severity"]))


@pytest.fixture
def alertmanager(tmp_path: Path, inbox: Inbox) -> Iterator[Alertmanager]:
    made = Alertmanager(tmp_path, inbox)
    yield made
    made.stop()


def feed(site: Site, step: int, unwell: list[str], risk: float = 70.0) -> None:
    asyncio.run(publish(site, step_of(SERVERS, step, unwell, risk)))


@needs_alertmanager
def test_a_cascade_is_one_alert_from_its_opening_to_its_end_whatever_changes(
    site: Site, alertmanager: Alertmanager, inbox: Inbox
) -> None:
    alertmanager.start()
    link = "http://grafana.example/d/cascade?fleet={fleet}&cascade={cascade}"
    start_cascade(site, ARGUS_CASCADE_ALERTMANAGER_URL=alertmanager.url, ARGUS_CASCADE_GENERATOR_URL=link)
    feed(site, 0, [])
    feed(site, 1, ["web0", "web1"])
    until(lambda: len(alertmanager.alerts()) == 1, "the alert")
    first = alertmanager.alerts()[0]
    assert first["labels"].keys() == {"alertname", "fleet", "cascade", "severity"}
    assert (first["labels"]["alertname"], first["labels"]["severity"]) == ("ArgusCascade", "warning")
    assert first["annotations"]["severity"] == "warning"
    assert first["annotations"]["origins"] == "web0 (80%)"
    assert first["generatorURL"].endswith(f"?fleet=default&cascade={first['labels']['cascade']}")
    feed(site, 2, ["web0", "web1", "web2"], 55.0)
    until(lambda: "web2" in alertmanager.alerts()[0]["annotations"]["members"], "the change")
    again = alertmanager.alerts()
    assert [(one["fingerprint"], one["startsAt"]) for one in again] == [(first["fingerprint"], first["startsAt"])]
    feed(site, 3, ["web0", "web1", "web2", "web3"], 90.0)
    until(lambda: len(alertmanager.alerts()) == 2, "the escalation")
    critical, warning = alertmanager.alerts()
    assert (critical["labels"]["severity"], warning["fingerprint"]) == ("critical", first["fingerprint"])
    assert warning["status"]["inhibitedBy"] == [critical["fingerprint"]]
    feed(site, 4, [])
    until(lambda: alertmanager.alerts() == [], "the end")
    until(lambda: ("resolved", "critical") in [one for told in inbox.notified for one in told], "the all-clear")
    assert inbox.notified[0] == [("firing", "warning")]


@needs_alertmanager
def test_an_alertmanager_that_is_away_holds_nothing_up_and_is_told_when_it_is_back(
    site: Site, alertmanager: Alertmanager
) -> None:
    replica = start_cascade(site, ARGUS_CASCADE_ALERTMANAGER_URL=alertmanager.url)
    feed(site, 0, [])
    feed(site, 1, ["web0", "web1"])
    wait_for_cascades(site, [event_id(1, 0)])
    until(lambda: replica.metric("argus_cascade_alertmanager_failures_total") >= 1, "a failure")
    feed(site, 2, ["web0", "web1", "web2"])
    wait_for_cascades(site, [event_id(1, 1)])
    assert replica.metric("argus_cascade_alertmanager_last_success_timestamp_seconds") == 0
    assert replica.ready()
    alertmanager.start()
    until(lambda: len(alertmanager.alerts()) == 1, "the alert")
    assert "web2" in alertmanager.alerts()[0]["annotations"]["members"]
    replica.kill()
    alertmanager.stop()
    alertmanager.start()
    start_cascade(site, ARGUS_CASCADE_ALERTMANAGER_URL=alertmanager.url)
    until(lambda: len(alertmanager.alerts()) == 1, "the alert of a cascade that was opened by the one before")
