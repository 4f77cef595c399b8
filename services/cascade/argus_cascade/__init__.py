"""Argus cascade: which servers are abnormal, which of them belong together, and who began."""
