"""What these tests know of PromQL: enough to see which series an expression names."""

import pytest
from dashboard_files import filled_in
from promql import series_named, without_filters


@pytest.mark.parametrize(
    ("expression", "named"),
    [
        ("sum by (argus_label) (rate(argus_a_total[5m]))", {"argus_a_total"}),
        ('argus_a{b="argus_c"} / on (argus_l) group_left () argus_d', {"argus_a", "argus_d"}),
        ("avg_over_time(target:argus_x:avg[6h]) < 0.65", {"target:argus_x:avg"}),
        ('up{job=~"argus-.+"} == 0', {"up"}),
        ("histogram_quantile(0.5, sum by (le) (rate(argus_h_bucket[5m])))", {"argus_h_bucket"}),
        ("vector(1)", set()),
    ],
)
def test_the_series_of_an_expression_are_found(expression: str, named: set[str]) -> None:
    assert series_named(expression) == named


@pytest.mark.parametrize(
    ("expression", "plain"),
    [
        ("(argus_a < +Inf) and argus_b > 0", "(argus_a) and argus_b"),
        ("sum(argus_a >= bool 0.6)", "sum(argus_a >= bool 0.6)"),
        ("argus_a >= 0)", "argus_a)"),
    ],
)
def test_comparisons_that_only_filter_are_taken_out(expression: str, plain: str) -> None:
    assert without_filters(expression) == plain


def test_a_query_is_filled_in_as_grafana_does() -> None:
    asked = 'max(argus_a{fleet=~"$fleet", target="$target"}[$__rate_interval])'
    assert filled_in(asked, "cpu") == 'max(argus_a{fleet=~".*", target="cpu"}[10s])'
