"""What is said when a server's behaviour has changed for good."""

from dataclasses import dataclass

from argus_drift.domain.rules import Kind


@dataclass(frozen=True, slots=True)
class Alarm:
    """``step``: the last step that was known when it was raised. ``since``: the step with which the change began.

    ``value``, ``threshold``: of the test that went furthest, in widths of the reference's own range; the value is the
    least over which hours are forgiven. ``metric``: what changed most; two names where their relation did.
    """

    server: int
    metric: str
    step: int
    kind: Kind
    statistic: str
    value: float
    threshold: float
    since: int
