"""Connection settings that all services share: Kafka, Redis, the ops server, logging.

Every class reads its own environment prefix, is frozen, and never prints a secret.
"""

import re
from abc import ABC, abstractmethod
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self, TypeVar

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from argus_common.errors import ConfigurationError


def config(prefix: str) -> SettingsConfigDict:
    """Frozen settings read from environment variables that begin with ``prefix``; an empty one counts as not set."""
    return SettingsConfigDict(env_prefix=prefix, frozen=True, extra="ignore", env_ignore_empty=True)


def _plain_seconds(value: object) -> object:
    try:
        return float(value) if isinstance(value, str) else value
    except ValueError:
        return value


Duration = Annotated[timedelta, BeforeValidator(_plain_seconds)]
"""A span of time in the environment: plain seconds (``40``) or ISO 8601 (``PT40S``)."""


class SaslMechanism(StrEnum):
    """How a client proves who it is."""

    PLAIN = "PLAIN"
    SCRAM_SHA_256 = "SCRAM-SHA-256"
    SCRAM_SHA_512 = "SCRAM-SHA-512"


class TlsFiles(BaseSettings, ABC):
    """Where certificates lie; all optional, the system's authorities are used without ``ca_file``.

    A file that would not be used is refused: who names one believes that the connection is encrypted.
    """

    ca_file: Path | None = Field(default=None, description="PEM file of the authorities to trust")
    cert_file: Path | None = Field(default=None, description="PEM file of our own certificate")
    key_file: Path | None = Field(default=None, description="PEM file of our own key")

    @abstractmethod
    def encrypted(self) -> bool:
        """Whether the connection uses TLS."""

    @model_validator(mode="after")
    def _files_are_used(self) -> Self:
        prefix = self.model_config.get("env_prefix", "")
        named = [name for name in ("ca_file", "cert_file", "key_file") if getattr(self, name) is not None]
        if named and not self.encrypted():
            raise ValueError(f"{prefix}{named[0].upper()} is set, but the connection is not encrypted")
        if self.key_file and not self.cert_file:
            raise ValueError(f"{prefix}KEY_FILE needs {prefix}CERT_FILE")
        return self


class KafkaSettings(TlsFiles):
    """How to reach Kafka (``ARGUS_KAFKA_…``)."""

    model_config = config("ARGUS_KAFKA_")

    bootstrap_servers: str = Field(default="localhost:9092", min_length=1, description="host:port, separated by commas")
    tls: bool = Field(default=False, description="encrypt the connection")
    sasl_mechanism: SaslMechanism | None = Field(default=None, description="how we prove who we are")
    username: str | None = Field(default=None, description="for SASL")
    password: SecretStr | None = Field(default=None, description="for SASL")
    request_timeout: Duration = Field(
        default=timedelta(seconds=40), gt=timedelta(0), description="longest wait for one answer of the broker"
    )
    session_timeout: Duration = Field(
        default=timedelta(seconds=30),
        gt=timedelta(seconds=5),
        description="a consumer that is silent for so long loses its partitions",
    )
    topic_prefix: str = Field(
        default="",
        pattern=r"^[A-Za-z0-9._-]*$",
        description="in front of every topic name, for several Argus on one Kafka",
    )
    replication_factor: int | None = Field(
        default=None,
        ge=1,
        description="of provisioned topics; by default 3, or the number of brokers if there are fewer",
    )

    def encrypted(self) -> bool:
        """Whether the connection uses TLS."""
        return self.tls

    @model_validator(mode="after")
    def _credentials_complete(self) -> Self:
        if self.sasl_mechanism and not (self.username and self.password):
            raise ValueError("ARGUS_KAFKA_SASL_MECHANISM needs ARGUS_KAFKA_USERNAME and ARGUS_KAFKA_PASSWORD")
        if not self.sasl_mechanism and (self.username or self.password):
            raise ValueError("ARGUS_KAFKA_USERNAME and ARGUS_KAFKA_PASSWORD need ARGUS_KAFKA_SASL_MECHANISM")
        return self

    def topic(self, name: str) -> str:
        """The name on the broker of the catalogue's topic ``name``."""
        return self.topic_prefix + name


class RedisSettings(TlsFiles):
    """How to reach Redis (``ARGUS_REDIS_…``). TLS by a ``rediss://`` URL, which never holds the password."""

    model_config = config("ARGUS_REDIS_")

    url: str = Field(
        default="redis://localhost:6379/0",
        pattern=r"^(redis|rediss|unix)://",
        description="redis://host:port/database, rediss:// for TLS; without credentials",
    )
    username: str | None = Field(default=None, description="of the ACL; empty = the default user")
    password: SecretStr | None = Field(default=None, description="of the user")
    key_prefix: str = Field(default="argus", pattern=r"^[A-Za-z0-9_.-]+$", description="of every key")

    def encrypted(self) -> bool:
        """Whether the connection uses TLS."""
        return self.url.startswith("rediss://")

    @field_validator("url")
    @classmethod
    def _without_password(cls, url: str) -> str:
        if re.search(r"//[^/]*@|[?&]password=", url):
            raise ValueError("a URL is printed: put its credentials into ARGUS_REDIS_USERNAME and ARGUS_REDIS_PASSWORD")
        return url


class OpsSettings(BaseSettings):
    """Where ``/metrics``, ``/livez`` and ``/readyz`` answer, and how we log (``ARGUS_OPS_…``)."""

    model_config = config("ARGUS_OPS_")

    host: str = Field(default="127.0.0.1", description="0.0.0.0 in a container")
    port: int = Field(default=9100, ge=0, le=65535, description="0 = any free port")
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="least severe to log")


SettingsT = TypeVar("SettingsT", bound=BaseSettings)


def load(kind: type[SettingsT]) -> SettingsT:
    """Settings of this kind from the environment.

    Raises:
        ConfigurationError: a value is missing or wrong; the text names the variable and never its secret.
    """
    prefix = str(kind.model_config.get("env_prefix", ""))
    try:
        return kind()
    except SettingsError as error:  # its cause holds the value, which may be a secret
        raise ConfigurationError(f"settings: {error} (variables begin with {prefix})") from None
    except ValidationError as error:
        problems = error.errors(include_input=False, include_context=False, include_url=False)
        lines = [_told(prefix, problem["loc"], problem["msg"]) for problem in problems]
        raise ConfigurationError("settings: " + "; ".join(lines)) from None


def _told(prefix: str, place: tuple[int | str, ...], message: str) -> str:
    text = message.removeprefix("Value error, ")
    return f"{prefix}{'_'.join(map(str, place)).upper()}: {text}" if place else text
