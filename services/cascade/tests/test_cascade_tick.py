"""A tick: forecasts in, a report out; and the numbers that tell how a fleet is."""

import numpy as np
import pytest

from argus_cascade.domain.detector import CascadeDetector, DetectorSettings, Report
from argus_cascade.domain.health import health, risk
from argus_cascade.domain.life.change import Opened
from argus_cascade.domain.recent import LENGTH, Recent
from argus_cascade.domain.tick import WITHIN_MINUTES, FleetTick
from argus_cascade.domain.topology import Topology
from argus_cascade.domain.verdict import Verdict

TARGETS = ("cpu_used_pct", "mem_used_pct")
SERVERS = tuple(f"s{i:02d}" for i in range(20))
TOPOLOGY = Topology.of([("s01", "s00"), ("s02", "s00")])
CALM, STEPS = 300, 312


def tick(step: int, rng: np.random.Generator, unwell: tuple[int, ...] = ()) -> FleetTick:
    shape = (len(SERVERS), len(TARGETS), 3)
    pit, residual = rng.uniform(0.01, 0.99, shape), rng.normal(0, 5, shape)
    pit[unwell, 0], residual[unwell, 0] = 1 - 1e-12, 40.0
    probability = np.zeros((*shape[:2], len(WITHIN_MINUTES)))
    probability[2, 0] = 0.9
    return FleetTick(
        "f", step, 300, SERVERS, ("web_api",) * len(SERVERS), TARGETS, np.ones(2), np.zeros(2), (1, 12, 96), pit, residual,
        np.full(shape[:2], 55.0), probability, np.full((*shape[:2], 3), np.inf), np.full(len(SERVERS), 30.0),
    )  # fmt: skip


def reports() -> list[Report]:
    rng, detector = np.random.default_rng(5), CascadeDetector(DetectorSettings(), TOPOLOGY)
    return [detector.tick(tick(step, rng, (0, 1) if step >= CALM else ())) for step in range(STEPS)]


def test_forecasts_that_fail_on_servers_that_depend_on_each_other_open_a_cascade() -> None:
    found = reports()
    opened = [change for report in found for change in report.changes if isinstance(change, Opened)]
    assert [change.step for change in opened if change.step >= CALM] == [opened[-1].step]
    assert CALM <= opened[-1].step <= CALM + 3
    member = opened[-1].members[0]
    assert (member.profile, member.target, member.observed) == ("web_api", "cpu_used_pct", 55.0)


def test_a_forecast_breach_makes_a_dependent_a_likely_follower() -> None:
    opened = [change for report in reports() for change in report.changes if isinstance(change, Opened)][-1]
    assert [(one.server, one.probability > 0.9) for one in opened.followers] == [("s02", True)]


def test_a_cascade_costs_health_and_is_certain_while_it_is_open() -> None:
    calm, ill = reports()[CALM - 1], reports()[-1]
    assert calm.health > 95
    assert calm.risk < 0.1
    assert (ill.risk, ill.share_abnormal) == (1.0, 0.1)
    assert ill.health == pytest.approx(45.0)


def test_health_falls_with_the_share_of_abnormal_servers_and_with_the_risk() -> None:
    assert health(0.0, 0.0) == 100.0
    assert health(1.0, 0.0) == 0.0
    assert risk(-5.0, open_now=False) < risk(-1.0, open_now=False) < 0.5 < risk(1.0, open_now=False)


def test_the_newest_surprise_is_the_last_and_a_server_that_comes_later_has_none_before() -> None:
    recent = Recent()
    for step in range(LENGTH + 5):
        names = ("a",) if step < LENGTH else ("b", "a")
        z = np.full((len(names), 1), float(step))
        recent.observe(
            Verdict("f", step, names, ("x",), z[:, 0], z[:, 0] > 0, np.full(len(names), -1), z, z, z[:, 0] < 0)
        )
    assert recent.of([1])[:, 0, 0].tolist() == list(range(5, LENGTH + 5))
    assert np.isnan(recent.of([0])[:, 0, 0]).sum() == LENGTH - 5
