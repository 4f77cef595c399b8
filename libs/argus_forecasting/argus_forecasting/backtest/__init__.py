"""What forecasts of a recorded trace would have been worth: rolling origins, baselines, intervals, warnings."""

from argus_forecasting.backtest.compare import Ratio
from argus_forecasting.backtest.evaluate import Scores, evaluate
from argus_forecasting.backtest.windows import Answers, Windows, join, rolling_origins, run

__all__ = ["Answers", "Ratio", "Scores", "Windows", "evaluate", "join", "rolling_origins", "run"]
