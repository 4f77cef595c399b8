"""The error tree of Argus.

    ArgusError
    ├── ConfigurationError      wrong settings or files: exit at start, with what to change
    ├── MalformedEventError     a record that can't be read: dead-letter it, go on with its neighbours
    ├── TransientError          the outside is unwell: back off and retry, then stop loudly
    ├── TakenOverError          another replica holds what we were about to write: let go of it, begin anew
    ├── DeadLetterFloodError    too many records can't be read: stop rather than drain the topic
    └── ModelUnavailableError   no usable model: the statistical forecaster serves

Adapters translate library exceptions into these with ``raise … from``. Anything else is a bug and ends the process.
"""


class ArgusError(Exception):
    """Base of all errors that Argus raises on purpose; its text is written for the person who reads it."""


class ConfigurationError(ArgusError):
    """Settings, a mapping file or an input file are wrong; nothing was started."""


class MalformedEventError(ArgusError):
    """One record can't be read. ``reason`` is a closed, countable word; the message tells the details."""

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(reason, message)  # both, so that it can be pickled
        self.reason = reason
        self.message = message

    def __str__(self) -> str:
        return self.message


class TransientError(ArgusError):
    """Something outside (broker, store, network) failed in a way that may pass."""


class TakenOverError(ArgusError):
    """Another replica has taken over what this one was about to write; nothing of it was written."""


class DeadLetterFloodError(ArgusError):
    """More records were unreadable than the configured share; consumption stopped, offsets are untouched."""


class ModelUnavailableError(ArgusError):
    """No model can serve the request."""
