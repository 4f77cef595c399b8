"""What can't work is refused at the start, with the name of the variable."""

import pytest

from argus_common.errors import ConfigurationError
from argus_common.settings import load
from argus_inference.settings import InferenceSettings


def test_the_defaults_are_a_week_of_history_and_eight_hours_ahead() -> None:
    settings = InferenceSettings()
    assert (settings.history_steps, settings.ring_steps, settings.horizon_steps) == (2112, 2304, 96)
    assert settings.quantile_levels == (0.02, 0.1, 0.25, 0.5, 0.75, 0.9, 0.98)


@pytest.mark.parametrize(
    "levels",
    ["[0.1, 0.5]", "[0.5, 0.1, 0.9]", "[0.1, 0.5, 0.5, 0.9]", "[0, 0.1, 0.5, 0.9]", "[0.1, 0.5, 0.9, 1]", "[]"],
)
def test_levels_that_the_scores_can_not_use_are_refused(levels: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARGUS_INFERENCE_QUANTILE_LEVELS", levels)
    with pytest.raises(ConfigurationError, match=r"contain 0\.1, 0\.5 and 0\.9"):
        load(InferenceSettings)


def test_more_history_than_the_ring_holds_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARGUS_INFERENCE_RING_STEPS", "288")
    with pytest.raises(ConfigurationError, match="history_steps can't be more than ring_steps"):
        load(InferenceSettings)


def test_the_hold_is_read_in_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARGUS_INFERENCE_MAX_HOLD", "2.5")
    assert load(InferenceSettings).max_hold.total_seconds() == 2.5
