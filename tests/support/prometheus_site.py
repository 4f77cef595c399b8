"""A real Prometheus and Alertmanager on loopback, with the rules and the route that are deployed."""

import json
import os
import shutil
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from argus_site import free_port, until
from deploy_settings import ROOT, read_yaml

DEPLOYED = ROOT / "deploy" / "prometheus"
UNPACKED = ROOT / ".argus" / "prometheus" / "usr" / "bin"
"""Where `make prometheus` puts Debian's packages."""
NEEDED = {"prometheus-alertmanager": Path("/usr/share/prometheus/alertmanager/default.tmpl")}
"""Files without which Debian's programs do not start, at places that only an installed package has."""


def binary(name: str) -> str:
    """A program of Prometheus, or this test is skipped."""
    found = shutil.which(name) or shutil.which(name, path=UNPACKED)
    if found is None:
        pytest.skip(
            f"no {name} here: install Debian's prometheus and prometheus-alertmanager, or run `make prometheus`"
        )
    if name in NEEDED and not NEEDED[name].exists():
        pytest.skip(f"{name} does not start without {NEEDED[name]}: install Debian's package of that name")
    return found


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A running Prometheus."""

    url: str

    def ask(self, path: str, **parameters: str) -> Any:  # noqa: ANN401 - whatever is answered
        """The ``data`` of an answer of the API; the error's text where it is one."""
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{query}", timeout=10) as answer:
            return json.load(answer)["data"]

    def query(self, expression: str) -> list[Any]:
        """What an expression gives now; AssertionError where it does not parse."""
        try:
            found = self.ask("query", query=expression)
        except urllib.error.HTTPError as error:
            with error:
                raise AssertionError(f"{expression}: {json.load(error)['error']}") from None
        result: list[Any] = found["result"]
        return result


@dataclass(frozen=True, slots=True)
class Alertmanager:
    """A running Alertmanager."""

    url: str

    def fire(self, *names: str) -> None:
        """Tell it of alerts, as Prometheus does."""
        body = json.dumps([{"labels": {"alertname": name}} for name in names]).encode()
        head = {"Content-Type": "application/json"}
        request = urllib.request.Request(f"{self.url}/api/v2/alerts", body, head)
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 200

    def suppressed(self) -> set[str]:
        """Names of the alerts that it knows and does not tell."""
        with urllib.request.urlopen(f"{self.url}/api/v2/alerts", timeout=10) as answer:
            alerts = json.load(answer)
        return {alert["labels"]["alertname"] for alert in alerts if alert["status"]["state"] == "suppressed"}


@contextmanager
def alertmanager(folder: Path) -> Iterator[Alertmanager]:
    """Runs Alertmanager with the deployed route until the block ends."""
    options = [f"--config.file={DEPLOYED}/alertmanager.yml", f"--storage.path={folder}/am"]
    with _running("prometheus-alertmanager", folder, *options, "--cluster.listen-address=") as url:
        yield Alertmanager(url)


@contextmanager
def prometheus(folder: Path, targets: Mapping[str, str], tell: str = "http://127.0.0.1:9") -> Iterator[Prometheus]:
    """Runs Prometheus with the deployed rules until the block ends.

    Args:
        folder: for its data and its log.
        targets: job → address.
        tell: URL of the Alertmanager; where nobody listens by default.
    """
    configuration = read_yaml(DEPLOYED / "prometheus.yml")
    configuration["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    configuration["rule_files"] = [str(DEPLOYED / name) for name in configuration["rule_files"]]
    configuration["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [tell.removeprefix("http://")]
    for job in configuration["scrape_configs"]:
        del job["dns_sd_configs"]
        job["static_configs"] = [{"targets": [targets[job["job_name"]]]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
    options = [f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb"]
    with _running("prometheus", folder, *options) as url:
        yield Prometheus(url)


@contextmanager
def _running(name: str, folder: Path, *options: str) -> Iterator[str]:
    port, log = free_port(), folder / f"{name}.log"
    url = f"http://127.0.0.1:{port}"
    process = _started([binary(name), *options, f"--web.listen-address=127.0.0.1:{port}"], log)
    try:
        until(lambda: _answers(f"{url}/-/ready") or process.poll() is not None, f"{name} to be ready, see {log}")
        assert process.poll() is None, log.read_text()
        yield url
    finally:
        process.terminate()
        process.wait(20)


def _started(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=dict(os.environ))


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except OSError:
        return False
