"""Whether a challenger may serve."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from argus_common.events import GateResult
from argus_retrainer.domain.gate import GateRules, HeldOut, Tried, judge
from argus_retrainer.domain.gate_figures import CHALLENGER, CHAMPION, STATISTICAL, TargetFigures, ratios
from argus_retrainer.domain.gate_text import gate_text

SPAN = HeldOut(1_735_516_800_000, 1_735_689_600_000)
SOUND = Tried(flaw="", seconds=0.1, no_champion="")
WINDOWS, SERVERS, DAYS = 400, 20, 4


def figures(
    target: str = "cpu_used_pct",
    challenger: float = 0.8,
    champion: float | None = 1.0,
    profile_loss: float = 1.0,
    scale: float = 1.0,
    **more: Any,  # noqa: ANN401
) -> TargetFigures:
    """Losses around these means; servers of profile ``odd`` lose ``profile_loss`` times as much with the challenger."""
    rng = np.random.default_rng(1)
    base = scale * rng.uniform(0.5, 1.5, WINDOWS)
    server, day = np.arange(WINDOWS) % SERVERS, np.arange(WINDOWS) // SERVERS % DAYS
    profile = np.where(server < 10, "web", "odd")
    loss = {CHALLENGER: base * challenger * np.where(profile == "odd", profile_loss, 1.0), STATISTICAL: base}
    if champion is not None:
        loss[CHAMPION] = base * champion
    given = {
        "inside": dict.fromkeys(loss, 0.8),
        "brier": dict.fromkeys(loss, 0.1),
        "breaches": 40,
        **more,
    }
    return TargetFigures(target, loss, server=server, day=day, profile=profile, **given)


def verdict(*found: TargetFigures, tried: Tried = SOUND) -> GateResult:
    return judge(found, tried, SPAN, GateRules())


def test_a_challenger_that_is_better_everywhere_passes_with_all_numbers() -> None:
    found = verdict(figures())
    assert (found.passed, found.failed(), found.windows, found.servers) == (True, [], WINDOWS, SERVERS)
    overall = {one.against: one for one in found.ratios if one.about == "all"}
    assert overall[CHAMPION].ratio == pytest.approx(0.8)
    assert overall[STATISTICAL].high < 1
    assert found.coverage == dict.fromkeys((CHALLENGER, STATISTICAL, CHAMPION), pytest.approx(0.8))
    assert {(one.about, one.name) for one in found.ratios} == {
        ("all", ""),
        ("target", "cpu_used_pct"),
        ("profile", "odd"),
        ("profile", "web"),
    }


NAN = float("nan")


@pytest.mark.parametrize(
    ("found", "tried", "failed"),
    [
        ([figures(challenger=1.0, champion=1.2)], SOUND, ["better_than_statistical"]),
        ([figures(champion=0.8)], SOUND, ["better_than_champion"]),
        ([figures(champion=0.7)], SOUND, ["better_than_champion", "no_target_worse", "no_profile_worse"]),
        ([figures(challenger=0.6, profile_loss=2.0)], SOUND, ["no_profile_worse"]),
        ([figures(challenger=0.5), figures("mem_used_pct", challenger=1.2)], SOUND, ["no_target_worse"]),
        ([figures(inside={CHALLENGER: 0.69, STATISTICAL: 0.8, CHAMPION: 0.8})], SOUND, ["coverage"]),
        ([figures(inside={CHALLENGER: 0.91, STATISTICAL: 0.8, CHAMPION: 0.8})], SOUND, ["coverage"]),
        ([figures(brier={CHALLENGER: 0.106, STATISTICAL: 0.2, CHAMPION: 0.1})], SOUND, ["breach_brier"]),
        (
            [figures(brier={CHALLENGER: 0.02, STATISTICAL: 0.001, CHAMPION: 0.009}, breaches=0)],
            SOUND,
            ["breach_brier"],
        ),
        ([figures()], replace(SOUND, flaw="model.safetensors: altered"), ["artefact"]),
        ([figures()], replace(SOUND, seconds=2.1), ["latency"]),
        ([], SOUND, ["windows", "better_than_champion", "better_than_statistical"]),
    ],
    ids=[
        "as statistical",
        "as champion",
        "worse",
        "profile",
        "target",
        "narrow",
        "wide",
        "brier",
        "false alarms",
        "altered",
        "slow",
        "no data",
    ],
)
def test_what_is_wrong_with_a_challenger_is_named(found: list[TargetFigures], tried: Tried, failed: list[str]) -> None:
    made = verdict(*found, tried=tried)
    assert not made.passed
    assert made.failed() == failed


@pytest.mark.parametrize(
    "found",
    [
        figures(inside={CHALLENGER: 0.65, STATISTICAL: 0.8, CHAMPION: 0.6}),
        figures(brier={CHALLENGER: 0.109, STATISTICAL: 0.1, CHAMPION: 0.1}, breaches=19),
        figures(brier={CHALLENGER: NAN, STATISTICAL: NAN, CHAMPION: NAN}),
        figures(challenger=0.7, profile_loss=1.5),
    ],
    ids=["nearer than the champion", "too few breaches", "no limit", "within the bound"],
)
def test_what_is_not_worse_or_can_not_be_judged_passes(found: TargetFigures) -> None:
    assert verdict(found).failed() == []


def test_without_a_champion_the_statistical_forecaster_is_to_be_beaten_alone() -> None:
    found = verdict(figures(champion=None), tried=replace(SOUND, no_champion="no version serves yet"))
    assert found.passed
    assert [check.detail for check in found.checks if check.name == "better_than_champion"] == ["no version serves yet"]


def test_targets_of_any_unit_count_alike() -> None:
    small, large = figures("a", challenger=0.5, scale=0.01), figures("b", challenger=1.1, scale=1000)
    (overall,) = [one for one in ratios([small, large]) if (one.against, one.about) == (STATISTICAL, "all")]
    assert overall.ratio == pytest.approx(0.8)


def test_the_card_tells_every_check_and_ratio() -> None:
    found = verdict(figures(), tried=replace(SOUND, seconds=3.0))
    text = gate_text(found)
    assert text.startswith("## Gate: rejected: latency\n")
    assert "2024-12-30 00:00 to 2025-01-01 00:00 UTC" in text
    assert all(f"| {check.name} |" in text for check in found.checks)
    assert "| champion | everything | 0.800 |" in text
    assert "| latency | **no** | 3 | 2 |" in text
