"""Jobs on Kubernetes: the manifest by Kubernetes' own schema, the calls against an API that answers as it does."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest

from argus_common.errors import ConfigurationError, TransientError
from argus_retrainer.adapters.kubernetes_launcher import Cluster, KubernetesLauncher
from argus_retrainer.domain.job_manifest import JobPod, job_manifest, job_name

POD = JobPod("argus/retrainer:1", "argus-data", "/argus", "2", "8Gi", "store", 43_200)
JOBS = "/apis/batch/v1/namespaces/watch/jobs"


@dataclass
class Api:
    """What the API knows and was asked. ``fails``: a status to answer everything with."""

    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    fails: int | None = None


@pytest.fixture
def api() -> Iterator[tuple[Api, str]]:
    made = Api()

    class Handler(BaseHTTPRequestHandler):
        def answer(self, status: int, body: dict[str, Any]) -> None:
            self.send_response(made.fails or status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def do_POST(self) -> None:
            self.note()
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name = body["metadata"]["name"]
            if name in made.jobs:
                self.answer(409, {})
                return
            made.jobs[name] = body
            self.answer(201, body)

        def do_GET(self) -> None:
            self.note()
            found = made.jobs.get(self.path.rpartition("/")[2])
            self.answer(404, {}) if found is None else self.answer(200, found)

        def do_DELETE(self) -> None:
            self.note()
            found = made.jobs.pop(self.path.partition("?")[0].rpartition("/")[2], None)
            self.answer(404 if found is None else 200, {})

        def note(self) -> None:
            made.asked.append((self.command, self.path, self.headers["Authorization"]))

        def log_message(self, *_: object) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield made, f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def account(tmp_path: Path) -> Path:
    (tmp_path / "token").write_text("secret\n")
    (tmp_path / "namespace").write_text("watch")
    return tmp_path


def launcher(address: str, account: Path) -> KubernetesLauncher:
    return KubernetesLauncher(Cluster(address, account), "fleet", Path("/argus/work"), POD)


@pytest.mark.parametrize("model", ["fleet", "web_shop.eu", "x" * 64])
@pytest.mark.parametrize("secret", [None, "store"])
def test_the_manifest_is_one_that_kubernetes_takes(model: str, secret: str | None) -> None:
    pod = JobPod(POD.image, POD.claim, POD.mount, POD.cpu, POD.memory, secret, POD.limit_seconds)
    manifest = job_manifest(model, "20250101t000000z", "/argus/work/20250101t000000z", pod)
    kubernetes_validate.validate(manifest, "1.30", strict=True)
    assert len(manifest["metadata"]["name"]) <= 63
    container = manifest["spec"]["template"]["spec"]["containers"][0]
    assert container["command"] == ["python", "-m", "argus_retrainer.job", "/argus/work/20250101t000000z"]
    assert container["resources"]["limits"] == {"cpu": "2", "memory": "8Gi"}


def test_the_schema_would_find_a_mistake() -> None:
    manifest = job_manifest("fleet", "1", "/argus/work/1", POD)
    manifest["spec"]["template"]["spec"]["restartPolicys"] = "Never"
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(manifest, "1.30", strict=True)


def test_two_models_have_jobs_of_their_own() -> None:
    assert job_name("a", "1") != job_name("b", "1")


async def test_a_job_is_created_runs_and_is_deleted(api: tuple[Api, str], account: Path) -> None:
    known, address = api
    made = launcher(address, account)
    assert not await made.runs("1")
    await made.launch("1")
    assert await made.runs("1")
    await made.launch("1")
    assert await made.runs("1"), "one that runs is left alone"
    await made.cancel("1")
    await made.cancel("1")
    assert known.jobs == {}
    methods = [method for method, _, _ in known.asked]
    assert methods == ["GET", "POST", "GET", "POST", "GET", "GET", "DELETE", "DELETE"]
    assert known.asked[1] == ("POST", JOBS, "Bearer secret")


@pytest.mark.parametrize(
    ("condition", "runs"),
    [
        ({"type": "Complete", "status": "True"}, False),
        ({"type": "Failed", "status": "True"}, False),
        ({"type": "Failed", "status": "False"}, True),
        ({"type": "Suspended", "status": "True"}, True),
    ],
)
async def test_a_job_runs_until_it_has_completed_or_failed(
    api: tuple[Api, str], account: Path, condition: dict[str, str], runs: bool
) -> None:
    known, address = api
    known.jobs[job_name("fleet", "1")] = {"status": {"conditions": [condition]}}
    assert await launcher(address, account).runs("1") is runs


async def test_a_job_that_failed_makes_room_for_the_next_attempt(api: tuple[Api, str], account: Path) -> None:
    known, address = api
    name = job_name("fleet", "1")
    known.jobs[name] = {"status": {"conditions": [{"type": "Failed", "status": "True"}]}}
    made = launcher(address, account)
    await made.launch("1")
    assert known.jobs == {}
    await made.launch("1")
    assert known.jobs[name]["kind"] == "Job"


@pytest.mark.parametrize(
    ("status", "error"), [(403, ConfigurationError), (422, ConfigurationError), (503, TransientError)]
)
async def test_what_the_api_refuses_is_told(
    api: tuple[Api, str], account: Path, status: int, error: type[Exception]
) -> None:
    known, address = api
    known.fails = status
    with pytest.raises(error, match=str(status)):
        await launcher(address, account).launch("1")


async def test_an_api_that_is_away_is_unwell(account: Path) -> None:
    with pytest.raises(TransientError, match="does not answer"):
        await launcher("http://127.0.0.1:1", account).runs("1")


def test_the_cluster_is_the_one_around_the_pod(account: Path) -> None:
    around = {"KUBERNETES_SERVICE_HOST": "fd00::1", "KUBERNETES_SERVICE_PORT": "443"}
    assert Cluster.around(around, account).address == "https://[fd00::1]:443"
    with pytest.raises(ConfigurationError, match="needs a pod with a service account"):
        Cluster.around({}, account)
