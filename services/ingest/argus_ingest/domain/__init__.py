"""From bytes to windows, without I/O: decode, validate, order by event time, aggregate."""
