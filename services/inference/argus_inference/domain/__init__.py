"""What to forecast, how risky it is, how earlier forecasts did; without I/O."""
