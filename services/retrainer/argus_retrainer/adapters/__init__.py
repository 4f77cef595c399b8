"""Kafka, Redis, files and processes at the edge of the retrainer."""
