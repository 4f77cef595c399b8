"""The Grafana dashboards. `make generate` writes them to deploy/grafana/dashboards and into the Helm chart."""

import json

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from argus_dashboards import capacity, cascades, fleet, models, pipeline, server

BOARDS = (fleet, server, cascades, models, capacity, pipeline)


def documents() -> dict[str, str]:
    """The JSON of every dashboard by its file name, as Grafana provisions it."""
    built = [board.build().build() for board in BOARDS]
    return {f"{made.uid}.json": json.dumps(made, cls=JSONEncoder, indent=2, sort_keys=True) + "\n" for made in built}
