"""``argus archive``: what the retrainer has kept of every server, and a trace from it."""

from argus_cli.archive.command import app

__all__ = ["app"]
