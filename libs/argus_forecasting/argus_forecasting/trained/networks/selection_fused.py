"""The variable selection of a TFT over all variables at once: the same figures as the library's, several times as fast.

The library runs a gated residual network per variable, one after the other. All of them begin with an affine map of one
number, so what is linear after it can be multiplied out beforehand, and the rest is one batched product over variables.
Dropout would lie between what is multiplied out: this is for serving, training takes the library's own way.

References:
    B. Lim et al., "Temporal Fusion Transformers for Interpretable Multi-horizon Time Series Forecasting", 2021, §4.2.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

EPSILON = 1e-5
"""Of the library's layer norms."""


ROWS = 512
"""At once on a CPU: what is computed of them stays within its cache."""


@dataclass(frozen=True, slots=True)
class Folded:
    """Weights of variables whose input is one number ``x``.

    ``hidden``: (2, variable, width) such that x · [0] + [1] goes into the ELU. ``gate``, ``gate_bias``: (variable,
    width, 2 · out), (variable, 1, 2 · out) of the gated linear unit. ``skip``, ``skip_bias``: (variable, 2, out),
    (variable, 1, out) of the normalised skip connection, given x / s and 1 / s, where ``spread``: (3, variable)
    s² = x² · [0] + x · [1] + [2]. ``norm``, ``norm_bias``: (variable, out) of the last layer norm.

    ``enter``, ``residual``: (embedding width + variable + 1, ·) what makes the weights of the variables: of embeddings,
    numbers and one.
    """

    hidden: Tensor
    gate: Tensor
    gate_bias: Tensor
    skip: Tensor
    skip_bias: Tensor
    spread: Tensor
    norm: Tensor
    norm_bias: Tensor
    enter: Tensor
    residual: Tensor


def select(
    network: Any,  # noqa: ANN401 - the library is untyped
    folded: Folded,
    reals: Tensor,
    others: dict[str, Tensor],
    context: Tensor | None,
) -> tuple[Tensor, Tensor]:
    """What `VariableSelectionNetwork` gives: (window …, out) the selected, (window …, variable) the weights.

    Args:
        network: the library's network, in evaluation.
        folded: its weights, by `fold`.
        reals: (window …, real variable) in the network's order.
        others: embeddings (window …, width) of the categorical variables, which come first in the network's order.
        context: (window …, width) or what is alike in all of one axis, None = none.
    """
    names = list(network.input_sizes)
    embedded = [others[name] for name in names[: len(others)]]
    weights = _weights(network.flattened_grn, folded, torch.cat([*embedded, reals], dim=-1), context)
    numbers, shares = reals.flatten(0, -2), weights[..., len(others) :].flatten(0, -2)
    size = ROWS if reals.device.type == "cpu" else len(numbers)
    parts = zip(torch.split(numbers, size), torch.split(shares, size), strict=True)
    out = torch.cat([_weighted(folded, x.T, share.T) for x, share in parts]).reshape(*reals.shape[:-1], -1)
    for i, values in enumerate(embedded):
        out = out + network.single_variable_grns[names[i]](values) * weights[..., i : i + 1]
    return out, weights


def _weights(network: Any, folded: Folded, inputs: Tensor, context: Tensor | None) -> Tensor:  # noqa: ANN401
    """(window …, variable) summing to one; ``inputs``: (window …, embedding width + real variable)."""
    norm = network.resample_norm
    skip = norm.norm((inputs @ folded.residual[:-1] + folded.residual[-1]) * torch.sigmoid(norm.mask) * 2.0)
    hidden = inputs @ folded.enter[:-1] + folded.enter[-1]
    if context is not None:
        hidden = hidden + network.context(context)
    made: Tensor = network.gate_norm(network.fc2(functional.elu(hidden)), skip)
    return made.softmax(dim=-1)


def _weighted(folded: Folded, x: Tensor, weights: Tensor) -> Tensor:
    """(row, out) the variables' outputs, weighted and summed; ``x``, ``weights``: (variable, row)."""
    hidden = torch.addcmul(folded.hidden[1][:, None], x[..., None], folded.hidden[0][:, None])
    hidden = functional.elu(hidden, inplace=True)
    gated = functional.glu(torch.baddbmm(folded.gate_bias, hidden, folded.gate), dim=-1)
    squares, products, constants = folded.spread[:, :, None]
    scale = torch.rsqrt(x * x * squares + x * products + constants + EPSILON)
    gated = gated.baddbmm_(torch.stack([x * scale, scale], dim=2), folded.skip).add_(folded.skip_bias)
    normal = functional.layer_norm(gated, gated.shape[-1:]).mul_(weights[..., None])
    return normal.mul_(folded.norm[:, None]).sum(dim=0).addmm_(weights.T, folded.norm_bias)


@torch.inference_mode(mode=False)
@torch.no_grad()
def fold(network: Any) -> Folded:  # noqa: ANN401
    """The weights of the variables that are numbers, multiplied out; they are of use until the network's change."""
    names = list(network.prescalers)
    parts = [_fold_one(network.prescalers[name], network.single_variable_grns[name]) for name in names]
    columns = [torch.stack(column) for column in zip(*parts, strict=True)]
    hidden, gate, gate_bias, skip, skip_bias, spread, norm, norm_bias, affine = columns
    return Folded(
        hidden.transpose(0, 1), gate, gate_bias[:, None], skip, skip_bias[:, None], spread.T, norm, norm_bias,
        *_fold_weights(network.flattened_grn, affine),
    )  # fmt: skip


def _fold_weights(network: Any, affine: Tensor) -> tuple[Tensor, Tensor]:  # noqa: ANN401
    """The two linear maps of all embeddings side by side; ``affine``: (variable, 2, width) makes those of numbers."""
    total, numbers = network.input_size, affine[:, 0].numel()
    flat = torch.zeros(total - numbers + len(affine) + 1, total, dtype=affine.dtype, device=affine.device)
    flat[: total - numbers, : total - numbers] = torch.eye(total - numbers)
    flat[total - numbers : -1, total - numbers :] = (torch.eye(len(affine))[:, :, None] * affine[:, 0]).flatten(1)
    flat[-1, total - numbers :] = affine[:, 1].flatten()
    enter = flat @ network.fc1.weight.T
    enter[-1] += network.fc1.bias
    return enter, network.resample_norm.resample(flat)


def _fold_one(scaler: nn.Linear, network: Any) -> tuple[Tensor, ...]:  # noqa: ANN401
    affine = torch.stack([scaler.weight[:, 0], scaler.bias])
    hidden = affine @ network.fc1.weight.T
    hidden = torch.stack([hidden[0], hidden[1] + network.fc1.bias])
    unit, add_norm = network.gate_norm.glu.fc, network.gate_norm.add_norm
    skip, skip_bias, spread = _fold_skip(affine, network)
    return (
        hidden,
        (unit.weight @ network.fc2.weight).T,
        unit.weight @ network.fc2.bias + unit.bias,
        skip,
        skip_bias,
        spread,
        add_norm.norm.weight,
        add_norm.norm.bias,
        affine,
    )


def _fold_skip(affine: Tensor, network: Any) -> tuple[Tensor, Tensor, Tensor]:  # noqa: ANN401
    """The layer norm of a line: its mean and variance over the width are a line and a square in ``x``."""
    resample = network.resample_norm
    line = resample.resample(affine) * torch.sigmoid(resample.mask) * 2.0
    centred = line - line.mean(dim=1, keepdim=True)
    spread = torch.stack([centred[0].square().mean(), 2 * (centred[0] * centred[1]).mean(), centred[1].square().mean()])
    return centred * resample.norm.weight, resample.norm.bias, spread
