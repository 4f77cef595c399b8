"""Tells an Alertmanager of the open cascades, again and again, beside everything else: it never holds up the topic.

By the standard library in a thread: one small request a minute is no reason for an HTTP client in the image.
"""

import asyncio
import json
import logging
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence

from argus_cascade.domain.alertmanager import Alert
from argus_cascade.metrics import BridgeMetrics
from argus_common.clock import Clock

RESEND_SECONDS = 60.0
"""A fifth of the time after which Alertmanager takes a silent alert for resolved."""
AGAIN_SECONDS = 5.0
TIMEOUT_SECONDS = 5.0
PATH = "/api/v2/alerts"

Post = Callable[[bytes], None]
"""Posts the alerts; raises OSError."""

_log = logging.getLogger("argus.cascade.alertmanager")


class Bridge:
    """Sends what ``alerts`` says at every change, and again every minute; while Alertmanager is away, every few
    seconds. What is sent is the state of that moment, so nothing is queued up and nothing is lost.
    """

    def __init__(
        self,
        post: Post,
        alerts: Callable[[], Sequence[Alert]],
        metrics: BridgeMetrics,
        clock: Clock,
        again_seconds: float = AGAIN_SECONDS,
        resend_seconds: float = RESEND_SECONDS,
    ) -> None:
        self._post, self._alerts, self._metrics, self._clock = post, alerts, metrics, clock
        self._again_seconds, self._resend_seconds = again_seconds, resend_seconds
        self._changed = asyncio.Event()
        self._away = False

    def wake(self) -> None:
        """Something has changed."""
        self._changed.set()

    async def run(self) -> None:
        """For ever; cancel it to stop."""
        while True:
            self._changed.clear()
            wait = self._resend_seconds if await self._send() else self._again_seconds
            try:
                async with asyncio.timeout(wait):
                    await self._changed.wait()
            except TimeoutError:
                continue

    async def _send(self) -> bool:
        alerts = self._alerts()
        if not alerts:
            return True
        try:
            await asyncio.to_thread(self._post, json.dumps(alerts).encode())
        except OSError as error:
            self._metrics.failures.inc()
            if not self._away:
                _log.warning("Alertmanager does not take alerts, trying again", extra={"error": _told(error)})
            self._away = True
            return False
        if self._away:
            _log.info("Alertmanager takes alerts again")
        self._away = False
        self._metrics.last_success.set(self._clock.now_ms() / 1000)
        return True


def post_to(url: str) -> Post:
    """Posts to the Alertmanager at ``url``."""

    def post(body: bytes) -> None:
        request = urllib.request.Request(  # noqa: S310 - http or https, as the settings demand
            url.rstrip("/") + PATH, body, {"Content-Type": "application/json"}, method="POST"
        )
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as answer:  # noqa: S310
            answer.read()

    return post


def _told(error: OSError) -> str:
    """With Alertmanager's own words, where it has answered."""
    if isinstance(error, urllib.error.HTTPError):
        with error:
            return f"{error}: {error.read(500).decode(errors='replace')}"
    return str(error)
