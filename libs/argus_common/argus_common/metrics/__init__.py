"""The metric catalogue: what each metric is, what is legal, where it hurts, how it is aggregated and derived."""

from argus_common.metrics.catalogue import Catalogue, load_catalogue
from argus_common.metrics.metric import Aggregation, Derivation, Metric, plain_gauge

__all__ = [
    "DEFAULT_CATALOGUE",
    "Aggregation",
    "Catalogue",
    "Derivation",
    "Metric",
    "load_catalogue",
    "plain_gauge",
]

DEFAULT_CATALOGUE = load_catalogue()
