"""``argus alerts``: which limits will be crossed, soonest first, and how earlier alerts ended."""

from argus_cli.alerts.command import app

__all__ = ["app"]
