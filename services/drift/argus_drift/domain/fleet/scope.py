"""Whether so many servers that drift are more than this fleet usually shows."""

from dataclasses import dataclass

from scipy.special import pdtrc

SPAN_HOURS = 24
"""Servers that drift within so many hours are counted together: tests of two days notice one change hours apart."""
PRIOR_RATE = 0.25 / 168
"""Findings per server and hour that a fleet is thought to have until it has shown its own: once in four weeks."""
PRIOR_HOURS = 100 * 168.0
"""Server hours for which that counts."""
FALSE_ALARM = 1 / 365
"""Chance per scope and span: one in a year of days."""
LEAST_SERVERS = 3
LEAST_SHARE = 0.2
"""Of those watched: a model can't be called stale for fewer."""


@dataclass(slots=True)
class Usual:
    """What a fleet usually shows. ``findings`` of servers alone, in ``hours`` of watched servers."""

    findings: float = 0.0
    hours: float = 0.0

    @property
    def rate(self) -> float:
        """Findings per server and hour."""
        return (PRIOR_RATE * PRIOR_HOURS + self.findings) / (PRIOR_HOURS + self.hours)


def chance(count: int, watched: int, rate: float) -> float:
    """Of at least so many findings within a span, if they come one by one as usual, as a Poisson law has it.

    >>> chance(0, 100, 0.001)
    1.0
    """
    return 1.0 if count == 0 else float(pdtrc(count - 1, watched * rate * SPAN_HOURS))


def is_drift(count: int, watched: int, rate: float) -> bool:
    """Whether ``count`` of ``watched`` servers that drift within a span have one cause."""
    many = count >= LEAST_SERVERS and count >= LEAST_SHARE * watched
    return many and chance(count, watched, rate) < FALSE_ALARM
