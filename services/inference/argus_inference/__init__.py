"""Argus inference: windows become forecasts with breach probabilities, risk and scores."""
