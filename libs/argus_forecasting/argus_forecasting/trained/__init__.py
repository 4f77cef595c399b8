"""Trained models: networks, their artefacts, and the forecaster that serves them. Needs torch."""
