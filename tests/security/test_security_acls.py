"""The generated ACLs on a broker that enforces them: each service works with its own, and with nothing more."""

import asyncio
import importlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from aiokafka.errors import TopicAuthorizationFailedError
from aiokafka.protocol.admin import CreateAclsRequest
from argus_site import IngestProcess, free_port, until
from deploy_settings import runnable_services

from argus_common.errors import ConfigurationError
from argus_common.kafka import build_producer
from argus_common.kafka.clients import build_admin
from argus_common.kafka.provision import provision
from argus_common.settings import KafkaSettings, SaslMechanism
from argus_common.topics import ALERTS, METRICS
from argus_common.topics.access import ACCESS, Acl, acls
from argus_local import Stack, kafka_server
from argus_local.containers import ContainerStack
from argus_local.kafka_server import KafkaServer
from argus_local.ports import LOOPBACK, free_ports

pytestmark = pytest.mark.stack

PASSWORD = "only-for-this-test"
ENFORCED = """
listeners=CONTROLLER://{host}:{controller},PLAINTEXT://{host}:{port},SASL://{host}:{sasl}
advertised.listeners=PLAINTEXT://{host}:{port},SASL://{host}:{sasl}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASL:SASL_PLAINTEXT
controller.quorum.voters=1@{host}:{controller}
inter.broker.listener.name=PLAINTEXT
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.sasl.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:ANONYMOUS
"""


class GuardedKafka(KafkaServer):
    """The embedded broker with a SASL listener whose users may do what ACLs allow; the plain one is the operator's."""

    def __init__(self, folder: Path) -> None:
        port, self.controller, self.sasl = free_ports(3)
        super().__init__(folder, port)

    def prepare(self) -> list[str]:
        data, properties = self.folder / "data", self.folder / "server.properties"
        (self.folder / "tmp").mkdir()
        ports = {"host": LOOPBACK, "port": self.port}
        plain = kafka_server.SETTINGS.format(controller_port=self.controller, data=data, **ports)
        properties.write_text(plain + ENFORCED.format(controller=self.controller, sasl=self.sasl, **ports))
        users = [f"SCRAM-SHA-512=[name=argus-{name},password={PASSWORD}]" for name in ACCESS]
        scram = [argument for user in users for argument in ("--add-scram", user)]
        arguments = ["-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", str(properties), *scram]
        subprocess.run(
            [*self._java(), "kafka.tools.StorageTool", "format", *arguments], check=True, capture_output=True
        )
        return [*self._java(), "kafka.Kafka", str(properties)]

    def settings(self, service: str) -> KafkaSettings:
        """How a service's own user reaches this broker."""
        return KafkaSettings(
            bootstrap_servers=f"{LOOPBACK}:{self.sasl}",
            sasl_mechanism=SaslMechanism.SCRAM_SHA_512,
            username=f"argus-{service}",
            password=PASSWORD,
            replication_factor=1,
        )


KINDS, OPERATIONS, LITERAL, ALLOW = {"topic": 2, "group": 3}, {"Read": 3, "Write": 4, "Create": 5}, 3, 3
"""Numbers of the protocol (`org.apache.kafka.common.acl`, `.resource`)."""


async def allow_all(server: KafkaServer) -> None:
    """What the generated `kafka-acls.sh` commands do, said by the protocol: its class is not in the embedded Kafka."""
    admin = build_admin(KafkaSettings(bootstrap_servers=server.address))
    await admin.start()
    try:
        for service, access in ACCESS.items():
            for acl in acls(access):
                for request in requests(f"User:argus-{service}", acl):
                    answer = await admin._send_to_controller(request)
                    assert [code for code, _ in answer.creation_responses] == [0]
    finally:
        await admin.close()


def requests(user: str, acl: Acl) -> list[CreateAclsRequest]:
    kind, operation = KINDS[acl.kind], OPERATIONS[acl.operation]
    return [CreateAclsRequest(kind, name, LITERAL, user, "*", operation, ALLOW) for name in acl.names]


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GuardedKafka]:
    server = GuardedKafka(tmp_path_factory.mktemp("guarded") / "kafka")
    server.start()
    try:
        asyncio.run(allow_all(server))
        yield server
    finally:
        server.stop()


@pytest.fixture
def empty_redis(stack: Stack | ContainerStack) -> str:
    url = f"{stack.redis_url.removesuffix('/0')}/6"
    with redis.Redis.from_url(url) as client:
        client.flushdb()
    return url


def start(service: str, guarded: GuardedKafka, redis_url: str, folder: Path, **settings: str) -> IngestProcess:
    kafka, port, log = guarded.settings(service), free_port(), folder / f"{service}.log"
    environment = os.environ | {
        "ARGUS_KAFKA_BOOTSTRAP_SERVERS": kafka.bootstrap_servers,
        "ARGUS_KAFKA_SASL_MECHANISM": "SCRAM-SHA-512",
        "ARGUS_KAFKA_USERNAME": f"argus-{service}",
        "ARGUS_KAFKA_PASSWORD": PASSWORD,
        "ARGUS_KAFKA_REPLICATION_FACTOR": "1",
        "ARGUS_REDIS_URL": redis_url,
        "ARGUS_OPS_PORT": str(port),
        **settings,
    }
    with log.open("wb") as output:
        command = [sys.executable, "-m", f"argus_{service}"]
        process = subprocess.Popen(command, env=environment, stdout=output, stderr=subprocess.STDOUT)
    return IngestProcess(process, port, log)


def test_every_service_works_with_its_own_rights(guarded: GuardedKafka, empty_redis: str, tmp_path: Path) -> None:
    assert len(asyncio.run(provision(guarded.settings("topics"), partitions=2))) == len(ACCESS["topics"].creates)
    work = {
        "ingest": "argus_ingest_windows_total",
        "inference": "argus_inference_forecasts_total",
        "cascade": "argus_cascade_forecasts_total",
        "simulator": "argus_simulator_records_total",
    }
    running: dict[str, IngestProcess] = {}
    try:
        for name in work:  # one after the other: the samples come last
            past = {"ARGUS_SIMULATOR_SERVERS": "7", "ARGUS_SIMULATOR_HISTORY": "172800"}
            running[name] = start(name, guarded, empty_redis, tmp_path, **past)
            until(running[name].ready, f"{name} to be ready, see {running[name].log}")
        for name, series in work.items():
            service = running[name]
            until(lambda s=service, m=series: s.metric(m) > 0, f"{series}, see {service.log}")  # type: ignore[misc]
    finally:
        codes = [service.terminate() for service in running.values()]
    assert codes == [0, 0, 0, 0]
    refused = [name for name, service in running.items() if re.search("(?i)authorization", service.log.read_text())]
    assert refused == []


async def test_a_service_can_do_nothing_beyond_its_rights(guarded: GuardedKafka) -> None:
    with pytest.raises(ConfigurationError, match=METRICS.name):
        await provision(guarded.settings("ingest"), [METRICS])
    producer = build_producer(guarded.settings("ingest"))
    await producer.start()
    try:
        with pytest.raises(TopicAuthorizationFailedError):
            await producer.send_and_wait(ALERTS.name, b"{}")
    finally:
        await producer.stop()


def test_every_service_is_in_the_list_with_the_group_that_it_joins() -> None:
    assert set(ACCESS) == runnable_services() | {"topics"}
    for name, access in ACCESS.items():
        if access.group is not None:
            settings = importlib.import_module(f"argus_{name}.settings")
            fields = getattr(settings, f"{name.capitalize()}Settings").model_fields
            assert access.group == fields["group"].default
