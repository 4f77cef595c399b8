"""What training minimises: pinball loss in the window's units, part of it with bursts at their full size."""

import torch
from torch import Tensor

LINEAR_SHARE = 0.9
"""Share of the loss in linear units. Without it a network learns the usual course and forgets the bursts, which carry
most of a weighted quantile loss; chosen on the validation part of the bitbrains fleet (README.md)."""
FARTHEST = 7.0
"""Scaled values are taken as no larger in the linear part: sinh(7) is 550 spreads."""


def quantile_loss(quantiles: Tensor, truth: Tensor, levels: Tensor) -> Tensor:
    """(window,) mean pinball loss over the observed leads and the levels.

    Args:
        quantiles: (window, lead, level) in the window's units.
        truth: (window, lead) in the window's units, NaN = not observed.
        levels: (level,).
    """
    known = torch.isfinite(truth)
    observed = torch.where(known, truth, torch.zeros_like(truth))
    scaled = _pinball(observed[..., None] - quantiles, levels)
    near, far = observed.clamp(-FARTHEST, FARTHEST), quantiles.clamp(-FARTHEST, FARTHEST)
    linear = _pinball(torch.sinh(near)[..., None] - torch.sinh(far), levels)
    loss = ((1 - LINEAR_SHARE) * scaled + LINEAR_SHARE * linear).mean(dim=2) * known
    mean: Tensor = loss.sum(dim=1) / known.sum(dim=1).clamp(min=1)
    return mean


def _pinball(gap: Tensor, levels: Tensor) -> Tensor:
    return torch.maximum(levels * gap, (levels - 1) * gap)
