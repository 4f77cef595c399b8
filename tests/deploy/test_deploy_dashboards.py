"""The dashboards: complete, in the one scale, linked, and valid for Grafana's provisioning."""

import json
import re
from typing import Any

import pytest
from dashboard_files import BOARDS, queries_of

from argus_common.levels import COLOURS, FLOORS

PANELS = [(name, panel) for name, board in BOARDS.items() for panel in board["panels"] if panel["type"] != "row"]


def labels(case: object) -> str:
    return case if isinstance(case, str) else str(case["title"]) if isinstance(case, dict) else ""


def test_there_is_a_dashboard_for_each_who_looks() -> None:
    looked_at = ("fleet", "server", "cascades", "models", "capacity", "pipeline")
    assert set(BOARDS) == {f"argus-{name}" for name in looked_at}


@pytest.mark.parametrize(("board", "panel"), PANELS, ids=labels)
def test_a_panel_says_what_it_shows_in_which_unit(board: str, panel: dict[str, Any]) -> None:
    assert len(panel["description"]) > 5, board
    assert panel["type"] == "table" or panel["fieldConfig"]["defaults"]["unit"]
    assert panel["targets"]
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


@pytest.mark.parametrize(("board", "panel"), PANELS, ids=labels)
def test_queries_of_a_panel_have_names_of_their_own(board: str, panel: dict[str, Any]) -> None:
    letters = [target["refId"] for target in panel["targets"]]
    assert len(set(letters)) == len(letters), board
    assert all(letters)


@pytest.mark.parametrize("name", BOARDS)
def test_a_dashboard_can_be_chosen_refreshed_and_left_for_its_siblings(name: str) -> None:
    board = BOARDS[name]
    assert board["uid"] == name
    assert board["editable"] is False
    assert board["tags"] == ["argus"]
    assert board["refresh"] == "30s"
    assert board["links"][0]["type"] == "dashboards"
    assert board["templating"]["list"][0]["name"] == "datasource"


@pytest.mark.parametrize("name", BOARDS)
def test_every_variable_in_a_query_is_defined(name: str) -> None:
    defined = {variable["name"] for variable in BOARDS[name]["templating"]["list"]}
    used = set(re.findall(r"\$\{?([a-z]\w*)", json.dumps(BOARDS[name]["panels"])))
    assert used <= defined
    assert all(asked.expression for asked in queries_of(BOARDS[name]))


def test_risk_has_the_colours_of_the_alert_scale() -> None:
    wanted = [{"color": COLOURS[level], "value": floor / 100 or None} for level, floor in FLOORS.items()]
    strips = [panel for _, panel in PANELS if panel["type"] == "status-history"]
    assert [panel["fieldConfig"]["defaults"]["thresholds"]["steps"] for panel in strips] == [wanted[::-1]]


def test_a_server_in_the_table_leads_to_its_own_dashboard() -> None:
    text = json.dumps(BOARDS["argus-fleet"])
    assert "/d/argus-server?var-fleet=${__data.fields.Fleet}&var-server=${__data.fields.Server}" in text


@pytest.mark.parametrize("name", BOARDS)
def test_panels_do_not_overlap(name: str) -> None:
    cells = [
        (x, y)
        for panel in BOARDS[name]["panels"]
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24
