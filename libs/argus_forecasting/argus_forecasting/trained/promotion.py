"""Promotions and rollbacks as events: decided from the store and from what served before."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from argus_common.errors import ModelUnavailableError
from argus_common.events import ModelPromoted, ModelRolledBack
from argus_forecasting.trained.store import ModelStore

if TYPE_CHECKING:  # it takes torch, and who rolls back needs none
    from argus_forecasting.trained.artefact import Manifest


@dataclass(frozen=True, slots=True)
class Said:
    """Why, by whom, and when (epoch milliseconds)."""

    reason: str
    by: str
    at_ms: int


def promotion(store: ModelStore, manifest: "Manifest", served: Sequence[str], said: Said) -> ModelPromoted:
    """The promotion of a version; ``served``: its model's versions so far, the serving one last."""
    name, version = manifest.name, manifest.version
    before = [one for one in served if one != version]
    return ModelPromoted(
        model=name,
        version=version,
        family=manifest.network.family,
        manifest_sha256=store.sha256(name, version),
        uri=store.place(name, version).resolve().as_uri(),
        previous_version=before[-1] if before else None,
        reason=said.reason,
        by=said.by,
        scores=ratios(manifest),
        promoted_ms=said.at_ms,
    )


def rollback(store: ModelStore, name: str, served: Sequence[str], said: Said) -> ModelRolledBack:
    """The rollback to the version before the serving one, or to none where it was the first.

    Raises:
        ModelUnavailableError: no version serves, or the one before is not in the store.
    """
    if not served:
        raise ModelUnavailableError(f"no version of {name} was promoted, so there is nothing to roll back")
    version = served[-2] if len(served) > 1 else None
    place = None if version is None else store.require(name, version)
    return ModelRolledBack(
        model=name,
        version=version,
        manifest_sha256=None if version is None else store.sha256(name, version),
        uri="" if place is None else place.resolve().as_uri(),
        withdrawn_version=served[-1],
        reason=said.reason,
        by=said.by,
        rolled_back_ms=said.at_ms,
    )


def ratios(manifest: "Manifest") -> dict[str, float]:
    """Target → WQL of the model over that of the statistical forecaster, on the validation part."""
    return {
        target: round(one["model"]["wql"] / max(one["statistical"]["wql"], 1e-12), 4)
        for target, one in manifest.assessed().items()
    }
