"""How good the alerts of the last days were, and what people have told."""

import math

import pytest
from alert_events import ended

from argus_common.events import BreachMitigated, MaintenanceScheduled
from argus_inference.domain.alert_ledger import KEPT_DAYS, SECONDS_PER_DAY, AlertLedger
from argus_inference.domain.mitigation import KEPT_ALERTS, Mitigations

STEP = 5_785_632
DAY = 288
TARGET = "cpu_used_pct"


def test_outcomes_older_than_a_week_of_event_time_no_longer_count() -> None:
    ledger = AlertLedger()
    ledger.add([ended(STEP, STEP, "false"), ended(STEP, STEP + DAY, "hit", crossed=STEP + 3)])
    assert ledger.precision(TARGET) == 0.5
    ledger.add([ended(STEP, STEP + KEPT_DAYS * DAY, "hit", crossed=STEP + 3)])
    assert (ledger.precision(TARGET), ledger.count(TARGET, "hit")) == (1.0, 2)


def test_an_outcome_that_comes_from_long_ago_does_not_count() -> None:
    ledger = AlertLedger()
    ledger.add([ended(STEP, STEP + 20 * DAY, "hit", crossed=STEP + 3)])
    ledger.add([ended(STEP, STEP, "false")])
    assert ledger.precision(TARGET) == 1.0


def test_false_alarms_are_counted_per_server_and_day() -> None:
    ledger = AlertLedger()
    assert math.isnan(ledger.false_per_server_day(TARGET))
    ledger.watched(servers=100, step_seconds=SECONDS_PER_DAY // 2, end=STEP * 300)
    ledger.add([ended(STEP, STEP - 1, "false", server=f"web{i}") for i in range(5)])
    assert ledger.false_per_server_day(TARGET) == pytest.approx(0.1)
    assert math.isnan(ledger.recall(TARGET))


def test_maintenance_lasts_from_its_start_to_just_before_its_end() -> None:
    told = Mitigations()
    told.add(MaintenanceScheduled(fleet="eu", server="db1", start_ms=1000, end_ms=2000))
    assert [told.worked_on("eu", "db1", at) for at in (999, 1000, 1999, 2000)] == [False, True, True, False]
    assert not told.worked_on("eu", "db2", 1500)
    assert not told.worked_on("us", "db1", 1500)


def test_only_the_newest_acknowledged_alerts_are_remembered() -> None:
    told = Mitigations()
    assert not told.any()
    for number in range(KEPT_ALERTS + 1):
        told.add(BreachMitigated(alert=str(number), requested_ms=0))
    assert told.any()
    assert (told.acted_on("0"), told.acted_on("1"), told.acted_on(str(KEPT_ALERTS))) == (False, True, True)
