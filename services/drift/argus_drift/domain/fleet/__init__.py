"""A whole fleet: from the steps of its servers to drifts of a server, a profile or the fleet."""
