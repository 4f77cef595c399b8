import pickle

import pytest

from argus_common import errors


@pytest.mark.parametrize(
    "kind",
    [
        errors.ConfigurationError,
        errors.TransientError,
        errors.DeadLetterFloodError,
        errors.ModelUnavailableError,
        errors.MalformedEventError,
    ],
)
def test_every_error_is_an_argus_error(kind: type[Exception]) -> None:
    assert issubclass(kind, errors.ArgusError)


def test_a_malformed_event_has_a_countable_reason_and_a_readable_text() -> None:
    error = errors.MalformedEventError("not_json", "expected a value at line 1")
    assert (error.reason, str(error)) == ("not_json", "expected a value at line 1")


def test_a_malformed_event_crosses_a_process_border() -> None:
    error = pickle.loads(pickle.dumps(errors.MalformedEventError("not_json", "expected a value")))
    assert (error.reason, str(error)) == ("not_json", "expected a value")
