"""The Temporal Fusion Transformer of pytorch-forecasting, on a time axis that is fine where it matters.

The past is 36 hourly and then 24 quarter-hourly tokens, the horizon the schema's knots: 84 tokens in place of 384.
All windows have the same shape, so nothing is packed and nothing depends on data: one set of weights runs on a CPU, and
compiled on a GPU.

References:
    B. Lim et al., "Temporal Fusion Transformers for Interpretable Multi-horizon Time Series Forecasting", 2021.
"""

import math
import warnings
from collections.abc import Mapping
from typing import Any, Self

import torch
from pytorch_forecasting.metrics import QuantileLoss
from pytorch_forecasting.models import TemporalFusionTransformer
from torch import Tensor, nn

from argus_forecasting.drivers import CALENDAR, COURSE, FLEET, OWN, PAST_DAYS, PROFILE
from argus_forecasting.features.covariates import RECENT as COVARIATE_MEANS
from argus_forecasting.features.fleet import WIDTH as FLEET_WIDTH
from argus_forecasting.features.inputs import COARSE, DAY_QUANTILES, PEAKS, RECENT, STATICS, WIDTH
from argus_forecasting.features.past_days import KINDS
from argus_forecasting.features.schema import FeatureSchema
from argus_forecasting.forecaster import Floats
from argus_forecasting.trained.networks.family import Network, NetworkSettings, interpolation
from argus_forecasting.trained.networks.selection_fused import Folded, fold, select
from argus_forecasting.trained.selection import Looked

HOURLY, FINE = 36, 24
ENCODER = HOURLY + FINE
FINE_WIDTH = RECENT // FINE
EMBEDDING = 8
FIRST_CORRECTION = 0.1
UNUSED = ("loss", "logging_metrics")
SELECTIONS = {"past": "encoder", "known": "decoder", "static": "static"}
CALENDAR_STATICS = 4
KNOWN_LEVELS = (0.1, 0.5, 0.9)
"""Levels of the statistical forecast that the decoder is told."""


class TftNetwork(Network):
    """Static, past and known inputs → TFT → a correction at the knots, linear between them."""

    def __init__(self, settings: NetworkSettings, schema: FeatureSchema) -> None:
        super().__init__()
        names = _Names(schema)
        self._names, self._levels = names, [schema.levels.index(level) for level in KNOWN_LEVELS]
        self.register_buffer("_age", _ages(), persistent=False)
        self.register_buffer("_lead", torch.log(torch.tensor(schema.knots, dtype=torch.float32)), persistent=False)
        self.register_buffer("_knots", torch.tensor(schema.knots) - 1, persistent=False)
        self.register_buffer("_between", interpolation(schema.knots, schema.horizon), persistent=False)
        self.register_buffer("_mask", _future_is_hidden(len(schema.knots)), persistent=False)
        self._layers = settings.layers
        self._folded: dict[str, Folded] = {}
        parts = dict(_tft(settings, schema, names).named_children())
        self.tft = nn.ModuleDict({name: part for name, part in parts.items() if name not in UNUSED})
        with torch.no_grad():
            for parameter in self.tft["output_layer"].parameters():
                parameter.mul_(FIRST_CORRECTION)

    def train(self, mode: bool = True) -> Self:  # noqa: FBT001, FBT002 - torch's own
        """Weights may change from now on, or have changed."""
        self._folded.clear()
        return super().train(mode)

    def correction(self, inputs: Mapping[str, Tensor]) -> Tensor:
        """(window, lead, level)."""
        out, _ = self.attend(inputs)
        return torch.einsum("lk,nkq->nlq", self.get_buffer("_between"), out)

    def look(self, inputs: Mapping[str, Tensor]) -> Looked:
        """Variable selection and attention; past, known and static variables are selected apart, a third each."""
        _, looked = self.attend(inputs)
        weight: dict[str, Floats] = {}
        for selection in ("past", "known", "static"):
            names: Any = self.tft[f"{SELECTIONS[selection]}_variable_selection"].input_sizes
            for name, values in zip(names, looked[selection].T.float().cpu().numpy(), strict=True):
                if (told := self._names.told(name)) is not None:
                    weight[told] = weight.get(told, 0) + values / len(SELECTIONS)
        age = self.get_buffer("_age").exp().cpu().numpy()
        return Looked(weight, looked["attention"].float().cpu().numpy(), age)

    def attend(self, inputs: Mapping[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
        """(window, knot, level) corrections, and what was looked at: ``attention`` (window, encoder token), ``past``
        (window, past variable), ``known`` (window, known variable), ``static`` (window, static variable); each sums
        to 1.
        """
        m = self.tft
        static, past, known = self._tokens(inputs)
        embedded = m["input_embeddings"](torch.stack([inputs["profile"], inputs["target"]], dim=1))
        summary, static_weights = self._select("static", static, embedded)
        context = m["static_context_variable_selection"](summary)[:, None]
        before, past_weights = self._select("encoder", past, {}, context)
        after, known_weights = self._select("decoder", known, {}, context)
        encoded, decoded = self._recurrent(summary, before, after)
        rows = torch.cat([encoded, decoded], dim=1)
        enriched = m["static_enrichment"](rows, m["static_context_enrichment"](summary)[:, None])
        mask = self.get_buffer("_mask").expand(len(rows), -1, -1)
        seen, attention = m["multihead_attn"](enriched[:, ENCODER:], enriched, enriched, mask)
        seen = m["post_attn_gate_norm"](seen, enriched[:, ENCODER:])
        out: Tensor = m["output_layer"](m["pre_output_gate_norm"](m["pos_wise_ff"](seen), decoded))
        looked = {
            "attention": attention[..., :ENCODER].mean(dim=tuple(range(1, attention.ndim - 1))),
            "past": past_weights.mean(dim=1),
            "known": known_weights.mean(dim=1),
            "static": static_weights,
        }
        return out, {name: weights / weights.sum(dim=1, keepdim=True) for name, weights in looked.items()}

    def _select(
        self, which: str, reals: Tensor, others: dict[str, Tensor], context: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """(window, token …, width) the selected, and (window, token …, variable) the weights."""
        network: Any = self.tft[f"{which}_variable_selection"]
        if self.training:
            names = list(network.input_sizes)[len(others) :]
            selected, weights = network({**others, **_columns(reals, names)}, context)
            return selected, weights[..., 0, :]
        return select(network, self._fold(which, network), reals, others, context)

    def _fold(self, which: str, network: Any) -> Folded:  # noqa: ANN401
        if which not in self._folded:
            self._folded[which] = fold(network)
        return self._folded[which]

    def _recurrent(self, summary: Tensor, before: Tensor, after: Tensor) -> tuple[Tensor, Tensor]:
        m = self.tft
        hidden = m["static_context_initial_hidden_lstm"](summary).expand(self._layers, -1, -1).contiguous()
        cell = m["static_context_initial_cell_lstm"](summary).expand(self._layers, -1, -1).contiguous()
        encoded, state = m["lstm_encoder"].forward(before, (hidden, cell), enforce_sorted=False)
        decoded, _ = m["lstm_decoder"].forward(after, state, enforce_sorted=False)
        gate, norm = m["post_lstm_gate_encoder"], m["post_lstm_add_norm_encoder"]
        return norm(gate(encoded), before), norm(gate(decoded), after)

    def _tokens(self, inputs: Mapping[str, Tensor]) -> tuple[Tensor, Tensor, Tensor]:
        """(window, static), (window, encoder token, past variable), (window, knot, known variable)."""
        static = torch.cat([inputs["static"], inputs["quantiles"], inputs["fleet"]], dim=1)
        fine = inputs["recent"].reshape(-1, FINE, FINE_WIDTH)
        ends = -(RECENT // WIDTH)  # hours that the fine tokens stand for
        level = torch.cat([inputs["coarse"][:, ends - HOURLY : ends], fine.mean(dim=2)], dim=1)
        peak = torch.cat([inputs["peaks"][:, ends - HOURLY : ends], fine.amax(dim=2)], dim=1)
        others = inputs["covariates"]
        recent = others[:, :, :COVARIATE_MEANS].repeat_interleave(FINE // COVARIATE_MEANS, dim=2)
        day = others[:, :, COVARIATE_MEANS : COVARIATE_MEANS + 1].expand(-1, -1, HOURLY)
        age = self.get_buffer("_age").expand(len(level), -1)
        past = torch.cat(
            [torch.stack([level, peak, age], dim=2), torch.cat([day, recent], dim=2).transpose(1, 2)], dim=2
        )
        base = inputs["base"][:, self.get_buffer("_knots")][:, :, self._levels]
        lead = self.get_buffer("_lead").expand(len(level), -1)[..., None]
        return static, past, torch.cat([inputs["days"], base, lead], dim=2)


class _Names:
    """Names of the variables; none may be an attribute of a torch module."""

    def __init__(self, schema: FeatureSchema) -> None:
        self.static = [f"static_{i}" for i in range(STATICS + len(DAY_QUANTILES) + FLEET_WIDTH)]
        self.past = ["level", "peak", "age", *(f"other_{name}" for name in schema.covariates)]
        self.known = [*KINDS, *(f"base_{round(100 * level)}" for level in KNOWN_LEVELS), "lead"]
        day = [f"static_{i}" for i in range(STATICS, STATICS + len(DAY_QUANTILES))]
        fleet = [f"static_{i}" for i in range(STATICS + len(DAY_QUANTILES), len(self.static))]
        self._told = {
            **dict.fromkeys(("level", "peak", *day), OWN),
            **{f"other_{name}": name for name in schema.covariates},
            **dict.fromkeys(KINDS, PAST_DAYS),
            **dict.fromkeys(self.known[len(KINDS) : -1], COURSE),
            **dict.fromkeys((f"static_{i}" for i in range(CALENDAR_STATICS)), CALENDAR),
            **dict.fromkeys(fleet, FLEET),
            "profile": PROFILE,
        }

    def told(self, variable: str) -> str | None:
        """What people are told of a variable; None = nothing, it only says where in the window something is."""
        return self._told.get(variable)


def _tft(settings: NetworkSettings, schema: FeatureSchema, names: _Names) -> TemporalFusionTransformer:
    reals = [*names.static, *names.past, *names.known]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it advises its own authors on what they save
        return TemporalFusionTransformer(
            hidden_size=settings.hidden,
            hidden_continuous_size=max(settings.hidden // 2, 4),
            lstm_layers=settings.layers,
            attention_head_size=settings.heads,
            dropout=settings.dropout,
            output_size=len(schema.levels),
            loss=QuantileLoss(list(schema.levels)),
            max_encoder_length=ENCODER,
            static_categoricals=["profile", "target"],
            static_reals=names.static,
            time_varying_reals_encoder=names.past,
            time_varying_reals_decoder=names.known,
            x_reals=reals,
            x_categoricals=["profile", "target"],
            embedding_sizes={
                "profile": (len(schema.profiles) + 1, EMBEDDING),
                "target": (len(schema.targets) + 1, EMBEDDING),
            },
            logging_metrics=nn.ModuleList([]),
        )


def _columns(values: Tensor, names: list[str]) -> dict[str, Tensor]:
    return {name: values[..., i : i + 1] for i, name in enumerate(names)}


def _ages() -> Tensor:
    """(token,) log of how many steps ago each token's middle was."""
    hourly = [RECENT + WIDTH * (HOURLY - i) - WIDTH / 2 for i in range(HOURLY)]
    fine = [FINE_WIDTH * (FINE - i) - FINE_WIDTH / 2 for i in range(FINE)]
    return torch.tensor([math.log(steps) for steps in (*hourly, *fine)], dtype=torch.float32)


def _future_is_hidden(knots: int) -> Tensor:
    """(1, knot, token) True where a knot may not look: at itself and later knots."""
    i = torch.arange(knots)
    return torch.cat([torch.zeros(knots, ENCODER, dtype=torch.bool), i[None, :] >= i[:, None]], dim=1)[None]


if not PEAKS >= HOURLY + RECENT // WIDTH <= COARSE:
    raise AssertionError("the inputs do not reach as far back as the tokens")
