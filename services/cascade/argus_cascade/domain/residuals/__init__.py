"""Light statistical residuals of a recorded trace, of any cadence and any metrics."""

from argus_cascade.domain.residuals.residuals import Residuals

__all__ = ["Residuals"]
