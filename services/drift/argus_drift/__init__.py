"""Argus drift: whether the forecasts of a fleet have gone stale, of which kind, and since when."""
