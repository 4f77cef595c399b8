"""Pictures of the dashboards: what panels ask is drawn as Grafana would, and what is missing is told."""

import json
import math
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from dashboard_files import BOARDS

from argus_dashboards.pictures.asking import Prometheus, Series, Span, filled_in, legend
from argus_dashboards.pictures.panels import Line, merged
from argus_dashboards.pictures.picture import COLUMNS, draw, spread
from argus_dashboards.pictures.values import written

SPAN = Span(1_735_689_600, 1_735_689_900)
CHOSEN = {"fleet": ".*", "server": "web1", "target": "cpu|disk", "__range": "300s", "__rate_interval": "15s"}
PNG = b"\x89PNG\r\n"


class Answering(BaseHTTPRequestHandler):
    """A Prometheus that knows one server and nothing of alerts."""

    def do_POST(self) -> None:
        asked = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        labels = {"fleet": "default", "server": "web1", "target": "cpu", "level": "warning"}
        points = [[SPAN.begin + 10 * k, "NaN" if k == 3 else str(0.1 * k)] for k in range(30)]
        value = {"value": points[-1]} if self.path.endswith("/query") else {"values": points}
        found = [] if "alerts" in asked["query"][0] else [{"metric": labels, **value}]
        body = json.dumps({"data": {"result": found}}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass


@pytest.fixture
def source() -> Iterator[Prometheus]:
    server = HTTPServer(("127.0.0.1", 0), Answering)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield Prometheus(f"http://127.0.0.1:{server.server_port}", SPAN)
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.253, "percentunit", "25.3 %"),
        (5400.0, "s", "1.5 h"),
        (0.0021, "s", "2.1 ms"),
        (0.0, "s", "0 s"),
        (2.0, "h", "2 h"),
        (2.5e6, "bytes", "2.5 MB"),
        (12_300.0, "short", "12.3 k"),
        (1234.0, "none", "1,234"),
        (math.inf, "s", "∞"),
        (math.nan, "s", ""),
    ],
)
def test_a_value_is_written_with_its_unit(value: float, unit: str, text: str) -> None:
    assert written(value, unit) == text


def test_a_count_has_no_decimals() -> None:
    assert written(6.07, "none", 0) == "6"


def test_a_variable_without_a_value_stays() -> None:
    assert filled_in("a$fleet/${server}/$other", CHOSEN) == "a.*/web1/$other"


def test_a_series_is_named_as_the_panel_says() -> None:
    assert legend("{{target}} of {{server}}{{none}}", {"target": "cpu", "server": "web1"}, "") == "cpu of web1"
    assert legend("__auto", {"server": "web1"}, "title") == "web1"
    assert legend("__auto", {}, "title") == "title"


def test_a_repeated_panel_stands_once_for_each_value_side_by_side() -> None:
    panel = {"title": "$target", "repeat": "target", "gridPos": {"x": 0, "y": 5, "w": 12, "h": 8}}
    first, second = spread([panel], CHOSEN)
    assert (first["chosen"], second["chosen"]) == ({"target": "cpu"}, {"target": "disk"})
    assert (first["gridPos"]["x"], second["gridPos"]["x"]) == (0, COLUMNS // 2)


def test_rows_of_a_table_are_joined_by_their_labels_in_the_order_of_the_first_query() -> None:
    def line(server: str, query: str, value: float) -> Line:
        return Line(server, query, Series({"server": server, "job": "x"}, ((0.0, value),)))

    lines = [line("b", "A", 1), line("a", "A", 2), line("a", "B", 3), line("c", "B", 4)]
    assert merged(lines, ["server", "Value #A", "Value #B"]) == [
        {"server": "b", "Value #A": 1},
        {"server": "a", "Value #A": 2, "Value #B": 3},
        {"server": "c", "Value #B": 4},
    ]


@pytest.mark.parametrize("name", BOARDS)
def test_a_dashboard_is_drawn_and_tells_which_queries_gave_nothing(
    name: str, source: Prometheus, tmp_path: Path
) -> None:
    file = tmp_path / "board.png"
    empty = draw(BOARDS[name], source, CHOSEN, "caption", file)
    assert file.read_bytes().startswith(PNG)
    assert all("alerts" in query for query in empty)
    asked = [target["expr"] for panel in BOARDS[name]["panels"] for target in panel.get("targets", [])]
    assert len(empty) == sum("alerts" in expression for expression in asked)
