"""Decisions of the retrainer: what the archive holds, when to train, which model serves. No I/O."""
