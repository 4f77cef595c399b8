"""The Kubernetes Job of a training."""

import hashlib
from dataclasses import dataclass
from typing import Any

LIVES_ON_SECONDS = 86_400
"""After its end, for whoever wants to read its log."""
RESTARTS = 4
ONE_THREAD = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True, slots=True)
class JobPod:
    """Where and how a job runs. ``claim``: the volume that holds work folder, models and, unless it is in an object
    store, the archive; ``mount``: where it is mounted, in the retrainer as in the job. ``secret``: its variables are
    the job's environment, such as the credentials of an object store; None = none.
    """

    image: str
    claim: str
    mount: str
    cpu: str
    memory: str
    secret: str | None
    limit_seconds: int


def job_name(model: str, version: str) -> str:
    """The same for the same training, and a legal name whatever the model is called.

    >>> job_name("fleet", "20250101t000000z")
    'argus-train-20250101t000000z-e3bb472e'
    """
    mark = hashlib.sha256(f"{model}/{version}".encode()).hexdigest()[:8]
    plain = "".join(letter if letter.isalnum() else "-" for letter in version)[:32]
    return f"argus-train-{plain}-{mark}"


def job_manifest(model: str, version: str, folder: str, pod: JobPod) -> dict[str, Any]:
    """A batch/v1 Job that trains what the order in ``folder`` says; a pod that dies is started again and goes on."""
    labels = {"app.kubernetes.io/name": "argus-retrainer", "app.kubernetes.io/component": "training"}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": job_name(model, version),
            "labels": labels,
            "annotations": {"argus/model": model, "argus/version": version},
        },
        "spec": {
            "backoffLimit": RESTARTS,
            "activeDeadlineSeconds": pod.limit_seconds,
            "ttlSecondsAfterFinished": LIVES_ON_SECONDS,
            "template": {"metadata": {"labels": labels}, "spec": _pod(folder, pod)},
        },
    }


def _pod(folder: str, pod: JobPod) -> dict[str, Any]:
    return {
        "restartPolicy": "OnFailure",
        "automountServiceAccountToken": False,
        "securityContext": {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [_container(folder, pod)],
        "volumes": [{"name": "argus", "persistentVolumeClaim": {"claimName": pod.claim}}],
    }


def _container(folder: str, pod: JobPod) -> dict[str, Any]:
    resources = {"cpu": pod.cpu, "memory": pod.memory}
    return {
        "name": "training",
        "image": pod.image,
        "command": ["python", "-m", "argus_retrainer.job", folder],
        "env": [{"name": name, "value": "1"} for name in ONE_THREAD],
        "envFrom": [] if pod.secret is None else [{"secretRef": {"name": pod.secret}}],
        "resources": {"requests": resources, "limits": resources},
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "volumeMounts": [{"name": "argus", "mountPath": pod.mount}],
    }
