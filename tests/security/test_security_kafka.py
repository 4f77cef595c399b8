"""Every Kafka client of Argus against a broker with TLS and SASL, as in production."""

import asyncio
import gc
import re
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from argus_common.errors import ArgusError, ConfigurationError, TransientError
from argus_common.kafka import build_broker, build_consumer, build_producer, connect
from argus_common.kafka.provision import provision
from argus_common.settings import KafkaSettings, SaslMechanism
from argus_common.topics import Topic
from argus_local import kafka_server
from argus_local.kafka_server import KafkaServer
from argus_local.ports import LOOPBACK, free_ports

pytestmark = pytest.mark.stack

TOPIC = Topic("secure", "server", 1, timedelta(hours=1), "A topic of these tests.")

APP_PASSWORD = "app-secret"
SECURE_SETTINGS = """
listeners=CONTROLLER://{host}:{controller},PLAINTEXT://{host}:{port},SASLTLS://{host}:{sasl_tls},TLS://{host}:{tls},MTLS://{host}:{mtls}
advertised.listeners=PLAINTEXT://{host}:{port},SASLTLS://{host}:{sasl_tls},TLS://{host}:{tls},MTLS://{host}:{mtls}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SASLTLS:SASL_SSL,TLS:SSL,MTLS:SSL
controller.quorum.voters=1@{host}:{controller}
inter.broker.listener.name=PLAINTEXT
sasl.enabled.mechanisms=SCRAM-SHA-512
listener.name.sasltls.scram-sha-512.sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required;
listener.name.mtls.ssl.client.auth=required
ssl.keystore.type=PKCS12
ssl.keystore.location={certificates}/server.p12
ssl.keystore.password={password}
ssl.truststore.type=PEM
ssl.truststore.location={certificates}/ca.pem
"""


class SecureKafka(KafkaServer):
    """The embedded broker with three more listeners: SASL_SSL (SCRAM-SHA-512), TLS, TLS with client certificates."""

    def __init__(self, folder: Path, certificates: Path) -> None:
        self.certificates = certificates
        port, self.controller, self.sasl_tls, self.tls, self.mtls = free_ports(5)
        super().__init__(folder, port)

    def prepare(self) -> list[str]:
        data, properties = self.folder / "data", self.folder / "server.properties"
        (self.folder / "tmp").mkdir()
        plain = kafka_server.SETTINGS.format(host=LOOPBACK, port=self.port, controller_port=self.controller, data=data)
        secure = SECURE_SETTINGS.format(
            host=LOOPBACK,
            controller=self.controller,
            port=self.port,
            sasl_tls=self.sasl_tls,
            tls=self.tls,
            mtls=self.mtls,
            certificates=self.certificates,
            password=(self.certificates / "password").read_text(),
        )
        properties.write_text(plain + secure)  # of two lines with one key the later counts
        user = f"SCRAM-SHA-512=[name=app,password={APP_PASSWORD}]"
        arguments = ["-t", "MkU3OEVBNTcwNTJENDM2Qg", "-c", str(properties), "--add-scram", user]
        command = [*self._java(), "kafka.tools.StorageTool", "format", *arguments]
        subprocess.run(command, check=True, capture_output=True)
        return [*self._java(), "kafka.Kafka", str(properties)]

    def sasl_settings(self, **changed: Any) -> KafkaSettings:  # noqa: ANN401
        """How a client is to be set up for the SASL_SSL listener."""
        options: dict[str, Any] = {
            "bootstrap_servers": f"{LOOPBACK}:{self.sasl_tls}",
            "tls": True,
            "ca_file": self.certificates / "ca.pem",
            "sasl_mechanism": SaslMechanism.SCRAM_SHA_512,
            "username": "app",
            "password": APP_PASSWORD,
            "replication_factor": 1,
        }
        return KafkaSettings(**options | changed)

    def tls_settings(self, port: int, **changed: Any) -> KafkaSettings:  # noqa: ANN401
        """How a client is to be set up for a TLS listener without SASL."""
        options: dict[str, Any] = {
            "bootstrap_servers": f"{LOOPBACK}:{port}",
            "tls": True,
            "ca_file": self.certificates / "ca.pem",
        }
        return KafkaSettings(**options | changed)


@pytest.fixture(scope="session")
def secure_kafka(tmp_path_factory: pytest.TempPathFactory, certificates: Path) -> Iterator[SecureKafka]:
    server = SecureKafka(tmp_path_factory.mktemp("secure") / "kafka", certificates)
    server.start()
    yield server
    server.stop()


async def send(settings: KafkaSettings, value: bytes) -> None:
    producer = build_producer(settings)
    await connect(producer, settings)
    await producer.send_and_wait(TOPIC.name, value)
    await producer.stop()


async def receive(settings: KafkaSettings) -> list[bytes]:
    consumer = build_consumer(settings, TOPIC.name, group=None)
    await connect(consumer, settings)
    records = await consumer.getmany(timeout_ms=20_000)
    await consumer.stop()
    return [record.value for partition in records.values() for record in partition]


async def test_records_travel_over_sasl_and_tls(secure_kafka: SecureKafka) -> None:
    settings = secure_kafka.sasl_settings()
    await provision(settings, [TOPIC])
    await send(settings, b"encrypted")
    assert b"encrypted" in await receive(settings)


async def test_records_travel_over_tls_alone(secure_kafka: SecureKafka) -> None:
    settings = secure_kafka.tls_settings(secure_kafka.tls, replication_factor=1)
    await provision(settings, [TOPIC])
    await send(settings, b"without sasl")
    assert b"without sasl" in await receive(settings)


async def test_a_client_shows_its_own_certificate_where_one_is_demanded(
    secure_kafka: SecureKafka, client_pem: tuple[Path, Path]
) -> None:
    cert_file, key_file = client_pem
    settings = secure_kafka.tls_settings(
        secure_kafka.mtls, cert_file=cert_file, key_file=key_file, replication_factor=1
    )
    await provision(settings, [TOPIC])
    await send(settings, b"mutual")
    assert b"mutual" in await receive(settings)


async def test_a_faststream_broker_has_the_same_security(secure_kafka: SecureKafka) -> None:
    settings = secure_kafka.sasl_settings()
    await provision(settings, [TOPIC])
    received: asyncio.Queue[bytes] = asyncio.Queue()
    broker = build_broker(settings, "argus-test")

    @broker.subscriber(TOPIC.name, group_id="test", auto_offset_reset="earliest")
    async def on_record(body: bytes) -> None:
        await received.put(body)

    await connect(broker, settings)
    await broker.publish(b"from the broker", TOPIC.name)
    async with asyncio.timeout(30):
        while await received.get() != b"from the broker":
            pass
    await broker.stop()


REFUSED = r"Kafka at 127\.0\.0\.1:\d+ refuses user '{}': look at ARGUS_KAFKA_USERNAME, ARGUS_KAFKA_PASSWORD"
HUNG_UP = "it hung up at once, so look at ARGUS_KAFKA_TLS and ARGUS_KAFKA_SASL_MECHANISM"


FASTSTREAM_LEAK = pytest.mark.filterwarnings("ignore:Unclosed AIOKafkaProducer:ResourceWarning")
"""FastStream 0.7.8 forgets its producer when that can't start, so nobody can stop it."""


async def refusal(settings: KafkaSettings, kind: type[ArgusError]) -> str:
    """What a producer, a consumer, a broker and provisioning say; all say the same."""
    said = set()
    for client in (
        build_producer(settings),
        build_consumer(settings, TOPIC.name, group="test"),
        build_broker(settings, "argus-test"),
    ):
        with pytest.raises(kind) as caught:
            await connect(client, settings)
        said.add(str(caught.value))
    with pytest.raises(kind) as caught:
        await provision(settings, [TOPIC])
    (text,) = {*said, str(caught.value)}
    del client, caught
    gc.collect()  # the forgotten producer is collected in the test that allows it
    return text


@FASTSTREAM_LEAK
@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"password": f"{APP_PASSWORD}-wrong"}, REFUSED.format("app")),
        ({"username": "stranger"}, REFUSED.format("stranger")),
        ({"sasl_mechanism": SaslMechanism.PLAIN}, r"has no PLAIN: look at ARGUS_KAFKA_SASL_MECHANISM"),
    ],
)
async def test_wrong_credentials_are_told_from_an_outage(
    secure_kafka: SecureKafka, changed: dict[str, Any], expected: str
) -> None:
    said = await refusal(secure_kafka.sasl_settings(**changed), ConfigurationError)
    assert re.search(expected, said)
    assert APP_PASSWORD not in said


@FASTSTREAM_LEAK
async def test_an_authority_that_did_not_sign_the_broker_is_refused(
    secure_kafka: SecureKafka, certificates: Path
) -> None:
    said = await refusal(secure_kafka.sasl_settings(ca_file=certificates / "other.pem"), ConfigurationError)
    assert "self-signed certificate in certificate chain" in said


@FASTSTREAM_LEAK
async def test_a_certificate_for_another_host_is_refused(secure_kafka: SecureKafka) -> None:
    address = f"localhost:{secure_kafka.sasl_tls}"
    said = await refusal(secure_kafka.sasl_settings(bootstrap_servers=address), ConfigurationError)
    assert said.startswith(f"the certificate of Kafka at {address} is not trusted (Hostname mismatch")
    assert "not valid for 'localhost'" in said


@FASTSTREAM_LEAK
@pytest.mark.parametrize("how", ["no TLS and no SASL", "no SASL"])
async def test_a_broker_that_hangs_up_leads_to_the_settings_that_may_be_wrong(
    secure_kafka: SecureKafka, how: str
) -> None:
    port = secure_kafka.sasl_tls
    plain = KafkaSettings(bootstrap_servers=f"{LOOPBACK}:{port}")
    settings = plain if how == "no TLS and no SASL" else secure_kafka.tls_settings(port)
    assert HUNG_UP in await refusal(settings, TransientError)


@FASTSTREAM_LEAK
async def test_a_client_without_the_certificate_that_is_demanded_is_hung_up_on(secure_kafka: SecureKafka) -> None:
    assert HUNG_UP in await refusal(secure_kafka.tls_settings(secure_kafka.mtls), TransientError)
