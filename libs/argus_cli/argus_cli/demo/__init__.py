"""``argus demo``: the whole system on this machine, with a live view and a summary."""

from argus_cli.demo.command import demo

__all__ = ["demo"]
