"""What a model was given: written into its artefact, compared when it is loaded."""

from dataclasses import asdict, dataclass
from typing import Any

from argus_common.errors import ConfigurationError

VERSION = 2
"""Changes whenever the same history gives other inputs."""
HORIZON = 96
LEVELS = (0.02, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.98)
"""Quantile levels that models are trained on; others are interpolated."""
KNOTS = (1, 2, 3, 4, 6, 8, 10, 12, 15, 18, 22, 26, 30, 34, 38, 42, 48, 54, 60, 66, 72, 80, 88, 96)
"""Leads at which slow inputs are sampled: dense where the forecast changes fast."""


@dataclass(frozen=True, slots=True)
class FeatureSchema:
    """``targets``: kinds of target seen in training; any other is the kind unknown, as is any profile not in
    ``profiles``. ``covariates``: other metrics of the server that are looked at, missing ones are masked.
    """

    step_seconds: int
    targets: tuple[str, ...]
    profiles: tuple[str, ...]
    covariates: tuple[str, ...]
    horizon: int = HORIZON
    levels: tuple[float, ...] = LEVELS
    knots: tuple[int, ...] = KNOTS
    version: int = VERSION

    @property
    def day(self) -> int:
        """Steps of a day."""
        return 86_400 // self.step_seconds

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self)

    @staticmethod
    def from_json(document: dict[str, Any]) -> "FeatureSchema":
        """The inverse of `to_json`.

        Raises:
            ConfigurationError: it is of another version of the features, or not a schema.
        """
        if document.get("version") != VERSION:
            raise ConfigurationError(
                f"features of version {document.get('version')!r}, this Argus has {VERSION}: train the model again"
            )
        try:
            values: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in document.items()}
            return FeatureSchema(**values)
        except TypeError as error:
            raise ConfigurationError(f"not a feature schema: {error}") from error

    def require_step(self, step_seconds: int) -> None:
        """Check that data has the step that the model was trained on.

        Raises:
            ConfigurationError: it has another.
        """
        if step_seconds != self.step_seconds:
            raise ConfigurationError(
                f"the model was trained on steps of {self.step_seconds} s, the data has {step_seconds} s: "
                "train one for this step, or use --statistical"
            )
