"""The detectors of this service, as the service asks for them."""

from dataclasses import dataclass, field

from argus_cascade.domain.detector import CascadeDetector, DetectorSettings
from argus_cascade.domain.topology import Topology


@dataclass(frozen=True, slots=True)
class CascadeDetectors:
    """Makes a `CascadeDetector` for each fleet, all with the same settings and topology."""

    topology: Topology
    settings: DetectorSettings = field(default_factory=DetectorSettings)

    def new(self) -> CascadeDetector:
        """One that knows nothing yet."""
        return CascadeDetector(self.settings, self.topology)

    def restore(self, snapshot: bytes) -> CascadeDetector:
        """One that goes on from a snapshot.

        Raises:
            ValueError: it is of another version.
        """
        return CascadeDetector.restore(snapshot, self.settings, self.topology)
