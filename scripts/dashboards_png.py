"""Pictures of the dashboards in docs/dashboards, from the running services: ``make dashboards-png``.

Starts Kafka, Redis, a simulated fleet, the services and a real Prometheus with the deployed rules, lets them run and
draws what the panels' own expressions give. Tells which gave nothing.
"""

import argparse
import json
import re
import sys
import tempfile
import time
from pathlib import Path

from argus_site import make_site
from dashboard_files import ASSUMED, BOARDS
from deploy_demo import SPEED, demo
from prometheus_site import prometheus

from argus_dashboards.pictures.asking import Prometheus, Span
from argus_dashboards.pictures.picture import draw
from argus_local import Stack

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "dashboards"
FLEETS = {"bank": "critical", "shop": "cascade"}
SERVERS, RUN_SECONDS = 20, 300
CAPTION = f"two simulated fleets of {SERVERS} servers, {SPEED} times faster than the clock: one second is five minutes"
EVERYTHING = ".*"
SHOWN_TARGETS, SHOWN_LEAD = "cpu_used_pct|mem_used_pct|disk_usage_pct", "12"
WORST = "topk(1, avg_over_time(argus_risk_score_ratio[5m]))"


def main(arguments: list[str] | None = None) -> int:
    """Run the demo and draw every dashboard."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=RUN_SECONDS, help="how long the services run")
    parser.add_argument("--out", type=Path, default=PICTURES)
    told = parser.parse_args(arguments)
    told.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, Stack() as stack:
        site = make_site(stack.bootstrap_servers, stack.redis_url, "pictures-", Path(folder))
        with (
            demo(site, FLEETS, SERVERS) as services,
            prometheus(Path(folder), services.targets()) as server,
        ):
            begin = time.time()
            time.sleep(told.seconds)
            empty = pictures(server.url, Span(begin, time.time()), told.out)
    print(f"\n{len(empty)} queries gave nothing:" if empty else "\nEvery query gave something.")
    print("\n".join(f"  {query}" for query in empty))
    return 0


def pictures(url: str, span: Span, folder: Path) -> list[str]:
    """Draw every dashboard into ``folder``; the queries that gave nothing."""
    source, empty = Prometheus(url, span), list[str]()
    for name, board in BOARDS.items():
        file = folder / f"{name.removeprefix('argus-')}.png"
        found = draw(at_the_speed(board), source, chosen(name, source), CAPTION, file)
        print(f"{file}: {file.stat().st_size / 1000:.0f} kB, {len(found)} queries without data")
        empty += [f"{board['title']}: {query}" for query in found]
    return empty


def at_the_speed(board: dict[str, object]) -> dict[str, object]:
    """The dashboard with an hour's offset as long as an hour of the simulated fleet."""
    sped_up = f"offset {3600 // int(SPEED)}s"
    plain: dict[str, object] = json.loads(re.sub(r"offset 1h", sped_up, json.dumps(board)))
    return plain


def chosen(name: str, source: Prometheus) -> dict[str, str]:
    """What the variables of a dashboard are in its picture: everything, or the server that was worst off."""
    span = source.span
    values = dict.fromkeys(("fleet", "profile", "server", "target"), EVERYTHING) | ASSUMED
    values |= {"lead": SHOWN_LEAD, "__rate_interval": "15s", "__range": f"{span.end - span.begin:.0f}s"}
    if name == "argus-server":
        worst = source.now(WORST)[0].labels["server"]
        values |= {"server": worst, "target": SHOWN_TARGETS}
    return values


if __name__ == "__main__":
    sys.exit(main())
