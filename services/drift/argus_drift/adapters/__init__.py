"""Drift has no adapter of its own: all it touches is what everybody who follows forecasts touches."""
