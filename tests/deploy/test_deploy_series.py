"""Rules and dashboards name series that a service exports."""

import pytest
from dashboard_files import BOARDS, Asked, queries_of
from deploy_settings import read_yaml
from exported_series import exported
from prometheus_site import DEPLOYED
from promql import series_named

RULES = [rule for group in read_yaml(DEPLOYED / "rules" / "argus.yaml")["groups"] for rule in group["rules"]]
RECORDED = {rule["record"] for rule in RULES if "record" in rule}
IN_RULES = [Asked(str(rule.get("alert", rule.get("record"))), str(rule["expr"])) for rule in RULES]
ALL = IN_RULES + [asked for board in BOARDS.values() for asked in queries_of(board)]
EXPORTED = exported() | RECORDED


@pytest.mark.parametrize("asked", ALL, ids=lambda asked: asked.place)
def test_a_service_exports_every_series_that_is_named(asked: Asked) -> None:
    named = series_named(asked.expression)
    assert named or asked.expression.startswith("vector(")
    assert named - EXPORTED == set()


def test_a_series_that_nobody_exports_is_seen() -> None:
    assert series_named("sum(argus_ingest_no_such_total)") - EXPORTED == {"argus_ingest_no_such_total"}
