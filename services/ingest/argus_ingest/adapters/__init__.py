"""Kafka and Redis at the edge of ingest."""
