"""When a breach probability becomes an alarm, and when the alarm ends: one rule for serving and for backtests."""

from argus_forecasting.alarms.advance import Happened, Outcome, Sight, advance, fall_silent
from argus_forecasting.alarms.rule import AlarmRule, Promise
from argus_forecasting.alarms.state import AlarmState, Phase

__all__ = [
    "AlarmRule",
    "AlarmState",
    "Happened",
    "Outcome",
    "Phase",
    "Promise",
    "Sight",
    "advance",
    "fall_silent",
]
