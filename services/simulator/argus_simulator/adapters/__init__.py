"""Kafka and files at the edge of the simulator."""
