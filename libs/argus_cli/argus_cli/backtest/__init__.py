"""``argus backtest``: how good forecasts of a recorded trace would have been, beside the baselines."""

from argus_cli.backtest.command import backtest

__all__ = ["backtest"]
