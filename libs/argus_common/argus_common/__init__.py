"""What every Argus service shares: events, topics, metric catalogue, Kafka, Redis state, clock, errors, ops server."""
