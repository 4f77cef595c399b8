"""The committed dashboards, and what they ask Prometheus."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from deploy_settings import ROOT

FILES = sorted((ROOT / "deploy" / "grafana" / "dashboards").glob("*.json"))
BOARDS: dict[str, dict[str, Any]] = {file.stem: json.loads(file.read_text(encoding="utf-8")) for file in FILES}
BUILT_IN = {"__rate_interval": "10s", "__range": "1m"}
ASSUMED = {
    variable["name"]: variable["current"]["value"]
    for board in BOARDS.values()
    for variable in board["templating"]["list"]
    if variable["type"] in ("textbox", "custom")
}
"""What the reader assumes, until he chooses something else."""
LABELS = re.compile(r"label_values\((?:(.+), )?(\w+)\)")


@dataclass(frozen=True, slots=True)
class Asked:
    """A query of a panel or variable; ``place`` says of which."""

    place: str
    expression: str


def queries_of(board: dict[str, Any], *, panels_only: bool = False) -> Iterator[Asked]:
    """Everything that a dashboard asks, as it stands in the file; without its variables and marks if wanted."""
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            yield Asked(f"{board['title']}: {panel['title']} {target['refId']}", target["expr"])
    if panels_only:
        return
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            found = LABELS.fullmatch(variable["query"])
            assert found, variable
            yield Asked(f"{board['title']}: {variable['name']}", found[1])
    for annotation in board["annotations"]["list"]:
        yield Asked(f"{board['title']}: {annotation['name']}", annotation["expr"])


def filled_in(expression: str, target: str) -> str:
    """The expression with everything chosen and one ``target``, as Grafana would send it."""
    plain = expression.replace('target="$target"', f'target="{target}"')
    for name, value in (BUILT_IN | ASSUMED).items():
        plain = plain.replace(f"${name}", value)
    return re.sub(r"\$\w+", ".*", plain)
