"""Argus ingest: metrics from Kafka become windows on a topic and rings in Redis."""
