"""A physically consistent fleet, without I/O; the same seed gives the same bytes."""
