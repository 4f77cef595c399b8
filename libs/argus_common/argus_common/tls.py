"""The TLS context of a connection, with errors that name the variable behind a wrong file."""

import ssl

from argus_common.errors import ConfigurationError
from argus_common.settings import TlsFiles


def tls_context(settings: TlsFiles) -> ssl.SSLContext | None:
    """The context of these settings, or None for a plain connection. Host names are checked.

    Raises:
        ConfigurationError: a certificate or key can't be read.
    """
    if not settings.encrypted():
        return None
    prefix = settings.model_config.get("env_prefix", "")
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:
        raise ConfigurationError(f"{prefix}CA_FILE: {settings.ca_file}: {_reason(error)}") from error
    try:
        if settings.cert_file:
            context.load_cert_chain(settings.cert_file, settings.key_file)
    except OSError as error:
        files = f"{settings.cert_file}, {settings.key_file or 'without a key file'}"
        raise ConfigurationError(f"{prefix}CERT_FILE, {prefix}KEY_FILE: {files}: {_reason(error)}") from error
    return context


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return f"not a PEM file of that kind ({error})"
    return error.strerror or str(error)
