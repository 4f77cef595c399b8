"""Forecasts of a fleet: forecasters, breach probabilities, scores."""
