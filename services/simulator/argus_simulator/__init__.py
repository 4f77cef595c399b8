"""Argus simulator: a fleet that could exist, with faults and their ground truth."""
