"""What ingest can be told, and what it refuses to be told."""

from datetime import timedelta

import pytest

from argus_common.errors import ConfigurationError
from argus_common.settings import load
from argus_ingest.settings import IngestSettings


def test_the_defaults_are_five_minutes_with_a_minute_of_patience() -> None:
    settings = IngestSettings()
    assert settings.step_seconds == 300
    assert settings.allowed_lateness == timedelta(seconds=60)
    assert settings.idle_timeout == timedelta(minutes=2)
    assert settings.max_dead_letter_share == 0.2
    assert settings.rings_kept == timedelta(days=9)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("STEP", "9"),
        ("STEP", "3601"),
        ("STEP", "10.5"),
        ("ALLOWED_LATENESS", "-1"),
        ("IDLE_TIMEOUT", "0"),
        ("RING_STEPS", "287"),
        ("MAX_DEAD_LETTER_SHARE", "1.1"),
        ("MAX_POLL_RECORDS", "0"),
        ("SILENCE_STEPS", "1"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(f"ARGUS_INGEST_{name}", value)
    with pytest.raises(ConfigurationError, match=r"ARGUS_INGEST|whole seconds"):
        load(IngestSettings)


def test_an_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARGUS_INGEST_GROUP", "")
    assert load(IngestSettings).group == "argus-ingest"


def test_durations_are_seconds_or_iso_8601(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARGUS_INGEST_STEP", "PT1M")
    monkeypatch.setenv("ARGUS_INGEST_ALLOWED_LATENESS", "5")
    settings = load(IngestSettings)
    assert (settings.step_seconds, settings.allowed_lateness) == (60, timedelta(seconds=5))
