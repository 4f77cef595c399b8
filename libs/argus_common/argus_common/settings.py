"""Connection settings that all services share: Kafka, Redis, the ops server, logging.

Every class reads its own environment prefix, is frozen, and never prints a secret.
"""

from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Self, TypeVar

from pydantic import Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from argus_common.errors import ConfigurationError


def config(prefix: str) -> SettingsConfigDict:
    """Frozen settings read from environment variables that begin with ``prefix``."""
    return SettingsConfigDict(env_prefix=prefix, frozen=True, extra="ignore")


class SaslMechanism(StrEnum):
    """How a client proves who it is."""

    PLAIN = "PLAIN"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"


class TlsFiles(BaseSettings):
    """Where certificates lie; all optional, the system's authorities are used without ``ca_file``."""

    ca_file: Path | None = Field(default=None, description="PEM file of the authorities to trust")
    cert_file: Path | None = Field(default=None, description="PEM file of our own certificate")
    key_file: Path | None = Field(default=None, description="PEM file of our own key")


class KafkaSettings(TlsFiles):
    """How to reach Kafka (``ARGUS_KAFKA_…``)."""

    model_config = config("ARGUS_KAFKA_")

    bootstrap_servers: str = Field(default="localhost:9092", min_length=1)
    tls: bool = Field(default=False, description="encrypt the connection")
    sasl_mechanism: SaslMechanism | None = None
    username: str | None = None
    password: SecretStr | None = None
    request_timeout: timedelta = Field(default=timedelta(seconds=40), gt=timedelta(0))
    session_timeout: timedelta = Field(default=timedelta(seconds=30), gt=timedelta(seconds=5))
    replication_factor: int = Field(default=-1, ge=-1, description="of provisioned topics; -1 = the broker's default")

    @model_validator(mode="after")
    def _credentials_complete(self) -> Self:
        if self.sasl_mechanism and not (self.username and self.password):
            raise ValueError("ARGUS_KAFKA_SASL_MECHANISM needs ARGUS_KAFKA_USERNAME and ARGUS_KAFKA_PASSWORD")
        return self


class RedisSettings(TlsFiles):
    """How to reach Redis (``ARGUS_REDIS_…``). TLS by a ``rediss://`` URL."""

    model_config = config("ARGUS_REDIS_")

    url: str = Field(default="redis://localhost:6379/0", pattern=r"^(redis|rediss|unix)://")
    username: str | None = None
    password: SecretStr | None = None
    key_prefix: str = Field(default="argus", pattern=r"^[A-Za-z0-9_.-]+$", description="of every key")


class OpsSettings(BaseSettings):
    """Where ``/metrics``, ``/livez`` and ``/readyz`` answer, and how we log (``ARGUS_OPS_…``)."""

    model_config = config("ARGUS_OPS_")

    host: str = Field(default="127.0.0.1", description="0.0.0.0 in a container")
    port: int = Field(default=9100, ge=0, le=65535, description="0 = any free port")
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")


SettingsT = TypeVar("SettingsT", bound=BaseSettings)


def load(kind: type[SettingsT]) -> SettingsT:
    """Settings of this kind from the environment.

    Raises:
        ConfigurationError: a value is missing or wrong; the text names the variable and never its secret.
    """
    try:
        return kind()
    except ValidationError as error:
        prefix = str(kind.model_config.get("env_prefix", ""))
        lines = [
            f"{prefix}{'_'.join(str(part) for part in problem['loc']).upper()}: {problem['msg']}"
            for problem in error.errors(include_input=False, include_url=False)
        ]
        raise ConfigurationError("settings: " + "; ".join(lines)) from None
