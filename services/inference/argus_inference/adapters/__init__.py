"""Kafka and Prometheus at the edge of inference."""
