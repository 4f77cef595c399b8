"""Kafka, Redis and Prometheus at the edge of inference."""
