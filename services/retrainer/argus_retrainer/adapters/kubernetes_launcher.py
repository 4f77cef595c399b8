"""Jobs of Kubernetes, by its API and the service account of the retrainer's pod."""

import asyncio
import json
import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import Request, urlopen

from argus_common.errors import ConfigurationError, TransientError
from argus_retrainer.domain.job_manifest import JobPod, job_manifest, job_name

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")
TIMEOUT_SECONDS = 10.0
REFUSED = (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.BAD_REQUEST)


@dataclass(frozen=True, slots=True)
class Cluster:
    """``address`` of the API; ``account``: folder with token, namespace and ca.crt, read anew at each request, for a
    token is renewed every hour.
    """

    address: str
    account: Path

    @staticmethod
    def around(environment: Mapping[str, str] = os.environ, account: Path = ACCOUNT) -> "Cluster":
        """The cluster that this pod runs in.

        Raises:
            ConfigurationError: it runs in none.
        """
        host, port = environment.get("KUBERNETES_SERVICE_HOST"), environment.get("KUBERNETES_SERVICE_PORT")
        if not host or not port or not (account / "token").exists():
            raise ConfigurationError(
                "ARGUS_RETRAINER_LAUNCHER=kubernetes needs a pod with a service account: none was found here"
            )
        return Cluster(f"https://{f'[{host}]' if ':' in host else host}:{port}", account)


class KubernetesLauncher:
    """A `Launcher`."""

    def __init__(self, cluster: Cluster, model: str, root: Path, pod: JobPod) -> None:
        self._cluster, self._model, self._root, self._pod = cluster, model, root, pod

    async def launch(self, version: str) -> None:
        """Create the Job. One of that name that has ended without a result makes room first, for the next attempt.

        Raises:
            TransientError: the API does not answer.
            ConfigurationError: it refuses us or the manifest.
        """
        manifest = job_manifest(self._model, version, str(self._root / version), self._pod)
        status, _ = await self._ask("POST", "", manifest)
        if status == HTTPStatus.CONFLICT and not await self.runs(version):
            await self.cancel(version)

    async def runs(self, version: str) -> bool:
        """Whether the Job is there and has neither completed nor failed; one that waits for a node runs."""
        status, job = await self._ask("GET", f"/{job_name(self._model, version)}")
        if status == HTTPStatus.NOT_FOUND:
            return False
        conditions = job.get("status", {}).get("conditions") or []
        return not any(one.get("type") in ("Complete", "Failed") and one.get("status") == "True" for one in conditions)

    async def cancel(self, version: str) -> None:
        """Delete the Job with its pods."""
        await self._ask("DELETE", f"/{job_name(self._model, version)}?propagationPolicy=Background")

    async def _ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        return await asyncio.to_thread(self._answer, method, path, body)

    def _answer(self, method: str, path: str, body: dict[str, Any] | None) -> tuple[int, dict[str, Any]]:
        cluster = self._cluster
        namespace = (cluster.account / "namespace").read_text().strip()
        request = Request(  # noqa: S310 - the address is the cluster's own
            f"{cluster.address}/apis/batch/v1/namespaces/{namespace}/jobs{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Bearer {(cluster.account / 'token').read_text().strip()}",
                "Content-Type": "application/json",
            },
            method=method,
        )
        try:
            with urlopen(request, timeout=TIMEOUT_SECONDS, context=self._trust()) as answer:  # noqa: S310
                return answer.status, json.loads(answer.read() or b"{}")
        except HTTPError as error:
            with error:
                return _refused(error, f"{method} {path or 'a Job'}")
        except (URLError, OSError, ValueError) as error:
            raise TransientError(f"Kubernetes at {cluster.address} does not answer: {error}") from error

    def _trust(self) -> ssl.SSLContext | None:
        if not self._cluster.address.startswith("https"):
            return None
        return ssl.create_default_context(cafile=str(self._cluster.account / "ca.crt"))


def _refused(error: HTTPError, what: str) -> tuple[int, dict[str, Any]]:
    if error.code in (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT):
        return error.code, {}
    told = error.read(2000).decode(errors="replace")
    if error.code in REFUSED:
        raise ConfigurationError(f"Kubernetes refuses {what}: {error.code} {told}: may the account create batch/jobs?")
    raise TransientError(f"Kubernetes failed at {what}: {error.code} {told}")
