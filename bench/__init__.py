"""Measures what the README claims, with a yardstick in the same run: ``make bench``."""
