"""Versions in a model store on this machine or on a volume."""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass

from argus_common.errors import ModelUnavailableError
from argus_common.events import ModelRolledBack
from argus_forecasting.trained.promotion import Said, rollback
from argus_forecasting.trained.store import ModelStore
from argus_retrainer.domain.retention import superfluous
from argus_retrainer.endings import BY


@dataclass(frozen=True, slots=True)
class LocalVersions:
    """A `Versions`. ``keep``: newest versions of those that were trained here."""

    store: ModelStore
    model: str
    keep: int

    def tidy(self, trained: Sequence[str], served: Sequence[str]) -> None:
        """See `Versions.tidy`."""
        for version in superfluous(trained, served, self.keep):
            shutil.rmtree(self.store.place(self.model, version), ignore_errors=True)

    def rollback(self, served: Sequence[str], reason: str, at_ms: int) -> ModelRolledBack:
        """See `Versions.rollback`."""
        said = Said(reason, BY, at_ms)
        try:
            return rollback(self.store, self.model, served, said)
        except ModelUnavailableError as error:  # the one before is gone: what the settings name is better than this one
            return rollback(self.store, self.model, served[-1:], Said(f"{reason}; {error}", BY, at_ms))
