"""Events of a made-up cascade: a database fails, a web server follows."""

from typing import Any

from argus_common.events import (
    CascadeFollower,
    CascadeMember,
    CascadeOpened,
    CascadeOrigin,
    CascadeResolved,
    CascadeUpdated,
    OnsetIn,
)
from argus_common.levels import Level

STEP = 5_785_632


def _common(name: str, sequence: int, step: int) -> dict[str, Any]:
    return {
        "cascade": f"default/300/{STEP}/{name}",
        "fingerprint": "5f0c9c1b7a3e4d21",
        "sequence": sequence,
        "fleet": "default",
        "step_seconds": 300,
        "step": step,
        "opened": STEP + 2,
        "kind": "propagating",
        "severity": Level.WARNING,
        "score": 64.0,
        "members": [
            CascadeMember(
                server=name, onset=STEP, joined=STEP + 2, target="cpu_used_pct", strength=14.2, observed=97.5
            ),
            CascadeMember(server="web1", onset=STEP + 1, joined=STEP + 2, target="mem_used_pct", strength=9.1),
        ],
        "origins": [CascadeOrigin(server=name, probability=0.81, reasons=["its trouble began first"])],
        "followers": [
            CascadeFollower(server="web2", probability=0.6, onset_in=OnsetIn(p10=300, p50=600, p90=1500)),
            CascadeFollower(
                server="web3", probability=0.3, onset_in=OnsetIn(p10=300, p50=600, p90=1500), state="withdrawn"
            ),
        ],
        "peak_members": 2,
        "look_first": f"cpu_used_pct on {name}",
    }


def opened(name: str = "db1", **changed: object) -> CascadeOpened:
    """The opening."""
    return CascadeOpened.model_validate(_common(name, 0, STEP + 2) | changed)


def updated(name: str = "db1", sequence: int = 1, **changed: object) -> CascadeUpdated:
    """A change."""
    return CascadeUpdated.model_validate(_common(name, sequence, STEP + 2 + sequence) | changed)


def resolved(name: str = "db1", sequence: int = 2, **changed: object) -> CascadeResolved:
    """The end."""
    end = {"outcome": "recovered", "duration_seconds": 3600}
    return CascadeResolved.model_validate(_common(name, sequence, STEP + 12) | end | changed)
