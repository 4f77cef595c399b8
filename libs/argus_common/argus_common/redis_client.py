"""The Redis client of these settings, and the translation of its errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError

from argus_common.errors import ConfigurationError, TransientError
from argus_common.settings import RedisSettings


def build_redis(settings: RedisSettings) -> Redis:
    """A client that speaks bytes, with TLS for ``rediss://`` and ACL credentials where given."""
    options: dict[str, Any] = {
        "decode_responses": False,
        "socket_timeout": 5.0,
        "socket_connect_timeout": 3.0,
        "health_check_interval": 30,
        "username": settings.username,
        "password": settings.password.get_secret_value() if settings.password else None,
    }
    if settings.url.startswith("rediss://"):
        options |= {"ssl_ca_certs": str(settings.ca_file) if settings.ca_file else None}
        options |= {"ssl_certfile": str(settings.cert_file) if settings.cert_file else None}
        options |= {"ssl_keyfile": str(settings.key_file) if settings.key_file else None}
    return Redis.from_url(settings.url, **{name: value for name, value in options.items() if value is not None})


@contextmanager
def redis_errors(what: str) -> Iterator[None]:
    """Translate the library's errors into the error tree.

    Raises:
        ConfigurationError: the credentials are refused, or the user may not do this.
        TransientError: anything else that Redis or the way to it does.
    """
    try:
        yield
    except AuthenticationError as error:
        raise ConfigurationError(f"Redis refuses the credentials while {what}: {error}") from error
    except NoPermissionError as error:
        raise ConfigurationError(f"the Redis user lacks a permission while {what}: {error}") from error
    except (RedisError, OSError) as error:
        raise TransientError(f"Redis failed while {what}: {error}") from error


async def ping(redis: Redis) -> None:
    """Return once Redis answers.

    Raises:
        TransientError: it does not.
        ConfigurationError: it refuses our credentials.
    """
    with redis_errors("connecting"):
        await redis.ping()
