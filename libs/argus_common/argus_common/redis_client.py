"""The Redis client of these settings, and the translation of its errors."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError

from argus_common.errors import ConfigurationError, TransientError
from argus_common.settings import RedisSettings
from argus_common.tls import tls_context


def build_redis(settings: RedisSettings) -> Redis:
    """A client that speaks bytes, with TLS for ``rediss://`` and ACL credentials where given.

    Raises:
        ConfigurationError: a certificate or key can't be read.
    """
    options: dict[str, Any] = {
        "decode_responses": False,
        "socket_timeout": 5.0,
        "socket_connect_timeout": 3.0,
        "health_check_interval": 30,
        "username": settings.username,
        "password": settings.password.get_secret_value() if settings.password else None,
    }
    if tls_context(settings):  # redis-py reads the files at the first connection, where a wrong one is a riddle
        options |= {"ssl_ca_certs": str(settings.ca_file) if settings.ca_file else None}
        options |= {"ssl_certfile": str(settings.cert_file) if settings.cert_file else None}
        options |= {"ssl_keyfile": str(settings.key_file) if settings.key_file else None}
    return Redis.from_url(settings.url, **{name: value for name, value in options.items() if value is not None})


@contextmanager
def redis_errors(what: str) -> Iterator[None]:
    """Translate the library's errors into the error tree.

    Raises:
        ConfigurationError: the credentials or the certificate are refused, or the user may not do this.
        TransientError: anything else that Redis or the way to it does.
    """
    try:
        yield
    except AuthenticationError as error:
        raise ConfigurationError(f"Redis refuses the credentials while {what}: {error}") from error
    except NoPermissionError as error:
        raise ConfigurationError(f"the Redis user lacks a permission while {what}: {error}") from error
    except (RedisError, OSError) as error:
        if distrust := _distrust(error):
            raise ConfigurationError(
                f"Redis's certificate is not trusted while {what} ({distrust}): look at ARGUS_REDIS_CA_FILE"
            ) from error
        raise TransientError(f"Redis failed while {what}: {error}") from error


def _distrust(error: BaseException | None) -> str:
    """Why the certificate was refused, if that is what lies behind ``error``."""
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error.verify_message if error else ""


async def ping(redis: Redis) -> None:
    """Return once Redis answers.

    Raises:
        TransientError: it does not.
        ConfigurationError: it refuses our credentials.
    """
    with redis_errors("connecting"):
        await redis.ping()
