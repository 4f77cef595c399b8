"""``argus dead-letters``: what could not be read, why, and sending it again once the cause is mended."""

from argus_cli.dead_letters.command import app

__all__ = ["app"]
