"""Model versions with chance weights in a store, and their promotions on a site."""

from dataclasses import replace
from pathlib import Path

from argus_site import Site

from argus_cli.promotion_topic import events_now, publish
from argus_common.lineage import lineage
from argus_common.metrics import DEFAULT_CATALOGUE
from argus_forecasting.calibration import Calibration
from argus_forecasting.features.schema import FeatureSchema
from argus_forecasting.trained.artefact import Manifest, read_manifest, save
from argus_forecasting.trained.networks import NetworkSettings, build
from argus_forecasting.trained.promotion import Said, promotion, rollback
from argus_forecasting.trained.store import WEIGHTS, ModelStore

MODEL = "fleet"
TARGETS = tuple(metric.name for metric in DEFAULT_CATALOGUE.targets())
SCHEMA = FeatureSchema(300, TARGETS, ("generic",), DEFAULT_CATALOGUE.names())
TINY = NetworkSettings(hidden=8, layers=1)


def add_version(
    store: ModelStore, version: str, schema: FeatureSchema = SCHEMA, network: NetworkSettings = TINY
) -> Path:
    """A version as training leaves it, but for its weights."""
    scores = {target: {"model": {"wql": 0.9}, "statistical": {"wql": 1.0}} for target in schema.targets}
    manifest = Manifest(MODEL, version, "2026-01-01T00:00:00Z", schema, network, Calibration(), scores=scores)
    return save(store.folder, manifest, build(network, schema), "# card")


def spoil(store: ModelStore, version: str) -> None:
    """Change one byte of its weights."""
    file = store.place(MODEL, version) / WEIGHTS
    raw = bytearray(file.read_bytes())
    raw[-1] ^= 1
    file.write_bytes(bytes(raw))


async def promote(site: Site, store: ModelStore, version: str, at_ms: int = 0) -> None:
    """Tell that a version serves from now on, whatever it is like."""
    served = lineage(await events_now(site.kafka), MODEL)
    manifest = replace(read_manifest(store.place(MODEL, version)), version=version)
    await publish(site.kafka, promotion(store, manifest, served, Said("a test", "test", at_ms)))


async def roll_back(site: Site, store: ModelStore, at_ms: int = 0) -> None:
    """Tell that the version before serves again."""
    served = lineage(await events_now(site.kafka), MODEL)
    await publish(site.kafka, rollback(store, MODEL, served, Said("a test", "test", at_ms)))
