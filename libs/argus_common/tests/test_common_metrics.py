import math
from pathlib import Path

import pytest
from pydantic import ValidationError

from argus_common.errors import ConfigurationError
from argus_common.metrics import DEFAULT_CATALOGUE, Aggregation, Catalogue, Metric, load_catalogue, plain_gauge

FOURTEEN = (
    "cpu_user_pct",
    "cpu_sys_pct",
    "cpu_iowait_pct",
    "cpu_idle_pct",
    "java_cpu_pct",
    "mem_used_pct",
    "swap_used_pct",
    "disk_usage_pct",
    "net_in_mb_s",
    "net_out_mb_s",
    "back_close_wait",
    "front_close_wait",
    "load_average",
    "uptime_days",
)


def extended(folder: Path, text: str) -> Catalogue:
    file = folder / "extra.yaml"
    file.write_text(text)
    return load_catalogue(file)


def test_the_canonical_catalogue_has_fourteen_received_metrics_and_five_targets() -> None:
    assert tuple(metric.name for metric in DEFAULT_CATALOGUE.received()) == FOURTEEN
    assert [metric.name for metric in DEFAULT_CATALOGUE.derived()] == ["cpu_used_pct"]
    assert DEFAULT_CATALOGUE.names() == (*FOURTEEN, "cpu_used_pct")
    assert [metric.name for metric in DEFAULT_CATALOGUE.targets()] == [
        "cpu_iowait_pct",
        "mem_used_pct",
        "swap_used_pct",
        "disk_usage_pct",
        "cpu_used_pct",
    ]


def test_every_target_says_where_and_in_which_direction_it_hurts() -> None:
    for metric in DEFAULT_CATALOGUE.targets():
        assert metric.limit is not None
        assert metric.harm == 1


def test_an_unknown_metric_is_a_plain_gauge_that_is_forecast() -> None:
    gauge = DEFAULT_CATALOGUE.get("Queue depth/µs")
    assert gauge == plain_gauge("Queue depth/µs")
    assert (gauge.lower, gauge.upper, gauge.harm, gauge.limit) == (-math.inf, math.inf, 0, None)
    assert gauge.aggregation is Aggregation.MEAN
    assert gauge.target
    assert "Queue depth/µs" not in DEFAULT_CATALOGUE
    assert "cpu_user_pct" in DEFAULT_CATALOGUE


def test_the_server_limit_wins_over_the_profile_limit_and_that_over_the_default(tmp_path: Path) -> None:
    catalogue = extended(tmp_path, "limits: {servers: {db1: {mem_used_pct: 99}}}")
    assert catalogue.limit("mem_used_pct", profile="database", server="db1") == 99
    assert catalogue.limit("mem_used_pct", profile="database", server="db2") == 98
    assert catalogue.limit("mem_used_pct", profile="web_api") == 95
    assert catalogue.limit("mem_used_pct") == 95
    assert catalogue.limit("cpu_user_pct") is None
    assert catalogue.limit("never_heard_of") is None


def test_an_extension_adds_metrics_behind_the_canonical_ones(tmp_path: Path) -> None:
    catalogue = extended(
        tmp_path, "metrics: {gpu_used_pct: {unit: '%', lower: 0, upper: 100, harm: 1, limit: 97}, plain: }"
    )
    assert catalogue.names()[-2:] == ("gpu_used_pct", "plain")
    assert catalogue.get("gpu_used_pct").limit == 97
    assert catalogue.get("plain") == Metric(name="plain")
    assert catalogue.fingerprint() != DEFAULT_CATALOGUE.fingerprint()


def test_an_extension_changes_only_the_fields_and_limits_that_it_names(tmp_path: Path) -> None:
    catalogue = extended(
        tmp_path, "metrics: {mem_used_pct: {limit: 90}}\nlimits: {profiles: {database: {cpu_used_pct: 80}}}"
    )
    assert catalogue.get("mem_used_pct").upper == 100
    assert catalogue.limit("mem_used_pct") == 90
    assert catalogue.limit("mem_used_pct", profile="database") == 98
    assert catalogue.limit("cpu_used_pct", profile="database") == 80
    assert catalogue.fingerprint() == DEFAULT_CATALOGUE.fingerprint()


def test_an_extension_can_take_a_limit_away(tmp_path: Path) -> None:
    assert extended(tmp_path, "metrics: {mem_used_pct: {limit: null}}").limit("mem_used_pct") is None


def test_an_extension_replaces_a_derivation_as_a_whole(tmp_path: Path) -> None:
    catalogue = extended(tmp_path, "metrics: {cpu_used_pct: {derived: {terms: {cpu_user_pct: 1, cpu_sys_pct: 1}}}}")
    derivation = catalogue.get("cpu_used_pct").derived
    assert derivation is not None
    assert derivation.terms == {"cpu_user_pct": 1, "cpu_sys_pct": 1}
    assert derivation.offset == 0


@pytest.mark.parametrize(
    "text", ["metrics: ", "limits: ", "metrics: {mem_used_pct: }", "limits: {profiles: {database: }}"]
)
def test_an_empty_section_changes_nothing(tmp_path: Path, text: str) -> None:
    assert extended(tmp_path, text) == DEFAULT_CATALOGUE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("metrics: {a: {lower: 5, upper: 5}}", "metrics.a: metric a: lower 5.0 must be below upper 5.0"),
        ("metrics: {a: {lower: .nan}}", "metrics.a: metric a: lower nan must be below upper inf"),
        ("metrics: {a: {limit: 5}}", "metrics.a: metric a: a limit needs a direction of harm (+1 or -1)"),
        ("metrics: {a: {upper: 5, limit: 6, harm: 1}}", "metrics.a: metric a: limit 6.0 lies outside its legal range"),
        ("metrics: {a: {harm: 2}}", "metrics.a.harm: Input should be less than or equal to 1"),
        ("metrics: {a: {severity: 0}}", "metrics.a.severity: Input should be greater than 0"),
        ("metrics: {a: {agregation: max}}", "metrics.a.agregation: Extra inputs are not permitted"),
        (
            "metrics: {a: {aggregation: median}}",
            "metrics.a.aggregation: Input should be 'mean', 'max', 'last' or 'rate'",
        ),
        ("metrics: {CPU: {}}", "metrics.CPU.name: String should match pattern"),
        ("metrics: {a: {derived: {terms: {}}}}", "metrics.a.derived.terms: Dictionary should have at least 1 item"),
        ("metrics: {a: {derived: {terms: {b: 1}}}}", "metric a is derived from ['b'], which no producer sends"),
        ("metrics: {a: {derived: {terms: {a: 1}}}}", "metric a is derived from ['a'], which no producer sends"),
        (
            "metrics: {a: {derived: {terms: {cpu_used_pct: 1}}}}",
            "metric a is derived from ['cpu_used_pct'], which no producer sends",
        ),
        (
            "metrics: {a: {derived: {terms: {cpu_idle_pct: .inf}}}}",
            "metrics.a.derived.terms.cpu_idle_pct: Input should be a finite number",
        ),
        ("limits: {profiles: {web: {memory: 5}}}", "limit of profile web: unknown metric memory"),
        (
            "limits: {servers: {w1: {cpu_user_pct: 5}}}",
            "limit of server w1: metric cpu_user_pct needs a direction of harm (+1 or -1)",
        ),
        (
            "limits: {servers: {w1: {mem_used_pct: 101}}}",
            "limit of server w1: 101.0 lies outside the legal range of mem_used_pct",
        ),
        ("limits: {server: {w1: {mem_used_pct: 90}}}", "limits.server: Extra inputs are not permitted"),
        ("metrics: [a, b]", "metrics: expected a mapping, found ['a', 'b']"),
        ("metrics: {a: 5}", "metrics.a: expected a mapping, found 5"),
        ("limits: {profiles: {web: 90}}", "limits.profiles.web: expected a mapping, found 90"),
        ("metric: {}", "expected a mapping with 'metrics' and/or 'limits'"),
        ("- a", "expected a mapping with 'metrics' and/or 'limits'"),
        ("", "expected a mapping with 'metrics' and/or 'limits'"),
        ("metrics: {a", "expected ',' or '}'"),
    ],
)
def test_a_wrong_extension_is_refused_with_its_file_and_place(tmp_path: Path, text: str, expected: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        extended(tmp_path, text)
    assert str(caught.value).startswith(f"metric catalogue {tmp_path / 'extra.yaml'}: ")
    assert expected in str(caught.value)


def test_a_file_that_is_missing_or_no_text_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"missing\.yaml.*No such file"):
        load_catalogue(tmp_path / "missing.yaml")
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigurationError, match=r"binary\.yaml.*can't decode"):
        load_catalogue(tmp_path / "binary.yaml")


def test_the_fingerprint_is_of_the_columns_and_their_order() -> None:
    one = Catalogue(metrics={name: Metric(name=name) for name in ("a", "b")})
    other = Catalogue(metrics={name: Metric(name=name) for name in ("b", "a")})
    assert one.fingerprint() == "7e18f737"
    assert one.fingerprint() != other.fingerprint()


def test_a_catalogue_is_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        DEFAULT_CATALOGUE.get("mem_used_pct").limit = 1.0  # type: ignore[misc]
