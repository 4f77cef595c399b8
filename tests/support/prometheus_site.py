"""A real Prometheus and Alertmanager on loopback, with the rules and the route that are deployed."""

import json
import os
import shutil
import subprocess
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


def binary(name: str) -> str:
    """A program of Prometheus, or this test is skipped."""
    found = shutil.which(name) or shutil.which(name, path=UNPACKED)
    if found is None:
        pytest.skip(
            f"no {name} here: install Debian's prometheus and prometheus-alertmanager, or run `make prometheus`"
        )
    return found


@dataclass(frozen=True, slots=True)
class Prometheus:
    """A running Prometheus, and the Alertmanager that it tells."""

    url: str
    alertmanager: str

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

    def alerts_at_alertmanager(self) -> list[str]:
        """Names of the alerts that Alertmanager was told of."""
        with urllib.request.urlopen(f"{self.alertmanager}/api/v2/alerts", timeout=10) as answer:
            return [alert["labels"]["alertname"] for alert in json.load(answer)]


@contextmanager
def prometheus(folder: Path, targets: Mapping[str, str]) -> Iterator[Prometheus]:
    """Runs both until the block ends. ``targets``: job → address."""
    ports = free_port(), free_port()
    configuration = read_yaml(DEPLOYED / "prometheus.yml")
    configuration["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    configuration["rule_files"] = [str(DEPLOYED / name) for name in configuration["rule_files"]]
    configuration["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = [f"127.0.0.1:{ports[1]}"]
    for job in configuration["scrape_configs"]:
        del job["dns_sd_configs"]
        job["static_configs"] = [{"targets": [targets[job["job_name"]]]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(configuration))
    commands = (
        ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/tsdb"],
        [
            "prometheus-alertmanager",
            f"--config.file={DEPLOYED}/alertmanager.yml",
            f"--storage.path={folder}/am",
            "--cluster.listen-address=",  # nobody to gossip with
        ],
    )
    running = [
        _started([binary(name), *options, f"--web.listen-address=127.0.0.1:{port}"], folder / f"{name}.log")
        for (name, *options), port in zip(commands, ports, strict=True)
    ]
    try:
        for port in ports:
            until(lambda port=port: _answers(f"http://127.0.0.1:{port}/-/ready"), f"port {port} to be ready")  # type: ignore[misc]
        yield Prometheus(f"http://127.0.0.1:{ports[0]}", f"http://127.0.0.1:{ports[1]}")
    finally:
        for process in running:
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
