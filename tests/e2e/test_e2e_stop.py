"""A service that can't reach Kafka or Redis still ends at once when it is told to. (The simulator does not wait.)"""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from argus_site import free_port, until
from deploy_settings import runnable_services

STOP_SECONDS = 15


@pytest.mark.parametrize("service", sorted(runnable_services() - {"simulator"}))
def test_a_service_that_waits_for_its_servers_ends_when_it_is_told_to(service: str, tmp_path: Path) -> None:
    nobody = f"127.0.0.1:{free_port()}"
    told = os.environ | {
        "ARGUS_KAFKA_BOOTSTRAP_SERVERS": nobody,
        "ARGUS_REDIS_URL": f"redis://{nobody}/0",
        "ARGUS_OPS_PORT": str(free_port()),
        "OMP_NUM_THREADS": "1",
    }
    log = tmp_path / "service.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", f"argus_{service}"], cwd=tmp_path, env=told, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        until(lambda: '"retrying"' in log.read_text() or process.poll() is not None, f"a try, see {log}", 90)
        assert process.poll() is None, log.read_text()
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOP_SECONDS) == 0, log.read_text()
    finally:
        process.kill()
        process.wait()
    assert "did not wind down in time" not in log.read_text()
