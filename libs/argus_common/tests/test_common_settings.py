from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError
from pydantic_settings import BaseSettings

from argus_common.errors import ConfigurationError
from argus_common.settings import KafkaSettings, OpsSettings, RedisSettings, SaslMechanism, config, load

SECRET = "open-sesame"


def test_nothing_needs_to_be_set() -> None:
    kafka, redis, ops = load(KafkaSettings), load(RedisSettings), load(OpsSettings)
    assert kafka.bootstrap_servers == "localhost:9092"
    assert redis.url == "redis://localhost:6379/0"
    assert (ops.host, ops.port) == ("127.0.0.1", 9100)


def test_each_class_reads_its_own_prefix(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARGUS_KAFKA_BOOTSTRAP_SERVERS", "a:1,b:2")
    monkeypatch.setenv("ARGUS_KAFKA_SASL_MECHANISM", "SCRAM-SHA-512")
    monkeypatch.setenv("ARGUS_KAFKA_USERNAME", "app")
    monkeypatch.setenv("ARGUS_KAFKA_PASSWORD", SECRET)
    kafka = load(KafkaSettings)
    assert kafka.bootstrap_servers == "a:1,b:2"
    assert kafka.sasl_mechanism is SaslMechanism.SCRAM_SHA_512
    assert load(RedisSettings).username is None


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARGUS_KAFKA_SASL_MECHANISM", "")
    monkeypatch.setenv("ARGUS_OPS_PORT", "")
    assert load(KafkaSettings).sasl_mechanism is None
    assert load(OpsSettings).port == 9100


@pytest.mark.parametrize(("text", "seconds"), [("20", 20), ("0.5", 0.5), ("PT40S", 40), ("00:01:00", 60)])
def test_a_duration_is_plain_seconds_or_iso_8601(monkeypatch: pytest.MonkeyPatch, text: str, seconds: float) -> None:
    monkeypatch.setenv("ARGUS_KAFKA_REQUEST_TIMEOUT", text)
    assert load(KafkaSettings).request_timeout == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("variable", "value", "kind", "expected"),
    [
        ("ARGUS_OPS_PORT", "70000", OpsSettings, "less than or equal to 65535"),
        ("ARGUS_OPS_PORT", "http", OpsSettings, "valid integer"),
        ("ARGUS_OPS_LOG_LEVEL", "LOUD", OpsSettings, "DEBUG|INFO|WARNING|ERROR"),
        ("ARGUS_KAFKA_REQUEST_TIMEOUT", "soon", KafkaSettings, "timedelta"),
        ("ARGUS_KAFKA_REQUEST_TIMEOUT", "nan", KafkaSettings, "NaN"),
        ("ARGUS_KAFKA_SESSION_TIMEOUT", "5", KafkaSettings, "greater than 5 seconds"),
        ("ARGUS_KAFKA_SASL_MECHANISM", "GSSAPI", KafkaSettings, "SCRAM-SHA-512"),
        ("ARGUS_KAFKA_REPLICATION_FACTOR", "-2", KafkaSettings, "greater than or equal to"),
        ("ARGUS_REDIS_URL", "http://localhost", RedisSettings, "redis|rediss|unix"),
        ("ARGUS_REDIS_KEY_PREFIX", "a b", RedisSettings, "pattern"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_variable(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, kind: type[BaseSettings], expected: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(ConfigurationError) as caught:
        load(kind)
    assert str(caught.value).startswith(f"settings: {variable}: ")
    assert expected in str(caught.value)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        (
            {"ARGUS_KAFKA_SASL_MECHANISM": "PLAIN"},
            "settings: ARGUS_KAFKA_SASL_MECHANISM needs ARGUS_KAFKA_USERNAME and ARGUS_KAFKA_PASSWORD",
        ),
        (
            {"ARGUS_KAFKA_USERNAME": "app", "ARGUS_KAFKA_PASSWORD": SECRET},
            "settings: ARGUS_KAFKA_USERNAME and ARGUS_KAFKA_PASSWORD need ARGUS_KAFKA_SASL_MECHANISM",
        ),
        (
            {"ARGUS_KAFKA_CA_FILE": "ca.pem"},
            "settings: ARGUS_KAFKA_CA_FILE is set, but the connection is not encrypted",
        ),
        (
            {"ARGUS_KAFKA_TLS": "true", "ARGUS_KAFKA_KEY_FILE": "key.pem"},
            "settings: ARGUS_KAFKA_KEY_FILE needs ARGUS_KAFKA_CERT_FILE",
        ),
    ],
)
def test_settings_that_would_silently_weaken_kafka_are_refused(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], expected: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(ConfigurationError) as caught:
        load(KafkaSettings)
    assert str(caught.value) == expected


def test_a_certificate_for_a_plain_redis_url_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARGUS_REDIS_CA_FILE", "ca.pem")
    with pytest.raises(ConfigurationError, match="ARGUS_REDIS_CA_FILE is set, but the connection is not encrypted"):
        load(RedisSettings)
    assert RedisSettings(url="rediss://host:6380/0").ca_file == Path("ca.pem")


@pytest.mark.parametrize(
    "url", [f"redis://app:{SECRET}@host:1/0", f"redis://:{SECRET}@host:1/0", f"unix:///redis.sock?password={SECRET}"]
)
def test_a_redis_url_with_credentials_is_refused_without_showing_them(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("ARGUS_REDIS_URL", url)
    with pytest.raises(ConfigurationError, match="ARGUS_REDIS_PASSWORD") as caught:
        load(RedisSettings)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def test_no_secret_is_ever_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARGUS_KAFKA_PASSWORD", SECRET)
    monkeypatch.setenv("ARGUS_KAFKA_USERNAME", "app")
    monkeypatch.setenv("ARGUS_KAFKA_SASL_MECHANISM", "PLAIN")
    monkeypatch.setenv("ARGUS_REDIS_PASSWORD", SECRET)
    for settings in (load(KafkaSettings), load(RedisSettings)):
        printed = f"{settings} {settings!r} {settings.model_dump()} {settings.model_dump_json()}"
        assert SECRET not in printed
        assert "**********" in printed
    monkeypatch.setenv("ARGUS_KAFKA_SESSION_TIMEOUT", "1")  # another field is wrong: the whole input is at hand
    with pytest.raises(ConfigurationError) as caught:
        load(KafkaSettings)
    assert SECRET not in str(caught.value)


def test_a_value_that_is_not_json_is_refused_without_showing_it(monkeypatch: pytest.MonkeyPatch) -> None:
    class Keys(BaseSettings):
        model_config = config("ARGUS_KEYS_")
        tokens: dict[str, str] = {}

    monkeypatch.setenv("ARGUS_KEYS_TOKENS", f"{{{SECRET}")
    with pytest.raises(ConfigurationError, match=r"tokens.*ARGUS_KEYS_") as caught:
        load(Keys)
    assert SECRET not in str(caught.value)
    assert caught.value.__cause__ is None


def test_settings_are_frozen() -> None:
    settings = load(OpsSettings)
    with pytest.raises(ValidationError, match="frozen"):
        settings.port = 1
