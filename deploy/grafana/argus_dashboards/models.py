"""Models and drift: can the forecasts be trusted, which model serves, how good the alerts were, and is it retrained."""

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.table import Panel as Table
from grafana_foundation_sdk.builders.timeseries import Panel as TimeSeries

from argus_dashboards import drift, retraining
from argus_dashboards.parts import board, choice, dashed, lines, mark, number, query, rows, table

TARGET = 'target=~"$target"'
LEAD = f'{TARGET}, lead=~"$lead"'
SCORE = "{{target}}, lead {{lead}}"


def build() -> Dashboard:
    """The dashboard of whoever looks after the models."""
    made = board(
        "argus-models",
        "Models and drift",
        "How forecasts came true, which model serves, what drifts, what is trained, precision and lead time of alerts.",
        [
            choice("fleet", "Fleet", "label_values(argus_risk_score_ratio, fleet)"),
            choice("profile", "Profile", "label_values(argus_drift_anomaly_rate, profile)"),
            choice("target", "Target", "label_values(argus_forecast_coverage_ratio, target)"),
            choice("lead", "Lead in steps", "label_values(argus_forecast_coverage_ratio, lead)"),
        ],
    )
    for panel in (_serving(), *_numbers()):
        made.with_panel(panel)
    made.with_row(Row("Bands")).with_panel(_coverage()).with_panel(_uncorrected())
    made.with_row(Row("Losses")).with_panel(_against_naive()).with_panel(_against_statistical()).with_panel(_demoted())
    made.with_row(Row("Drift"))
    for panel in drift.panels():
        made.with_panel(panel)
    made.with_row(Row("Training"))
    for panel in retraining.panels():
        made.with_panel(panel)
    made.with_row(Row("Alerts"))
    made.with_panel(_precision()).with_panel(_recall()).with_panel(_false_alarms()).with_panel(_lead_time())
    for outcome, (name, colour) in retraining.MARKS.items():
        made.annotation(mark(name, retraining.happened(outcome), colour))
    return made


def _serving() -> Table:
    return table(
        "Serving",
        "The model that each replica serves, and its kind.",
        {"name": "Model", "version": "Version", "kind": "Kind", "Value #A": "Replicas"},
        rows("count by (name, version, kind) (argus_model_info)", "A"),
        width=12,
    )


def _numbers() -> list[Stat]:
    swapped = 'sum(increase(argus_inference_model_swaps_total{outcome="swapped"}[$__range]))'
    failed = 'sum(increase(argus_inference_model_swaps_total{outcome=~"missing|refused"}[$__range]))'
    demoted = f"sum(argus_inference_demoted_series{{{TARGET}}})"
    age = query("time() - max(argus_model_created_timestamp_seconds)")
    return [
        number("Age", "Since the serving model was trained; empty where none was.", "s", age, width=3),
        number("Swapped", "Models that began to serve in the time shown.", "none", query(swapped), width=3),
        number("Not swapped", "Promotions that came to nothing in the time shown.", "none", query(failed), width=3),
        number("Demoted series", "Where the statistical forecaster serves instead.", "none", query(demoted), width=3),
    ]


def _coverage() -> TimeSeries:
    expression = f"avg by (target, lead) (argus_forecast_coverage_ratio{{{LEAD}}} >= 0)"
    panel = lines(
        "Coverage of the 10 to 90 % band",
        "Share of recent values that fell into the band they were promised; 80 % is right.",
        "percentunit",
        query(expression, SCORE),
        query("vector(0.8)", "right"),
    )
    return dashed(panel, "right").min(0).max(1)


def _uncorrected() -> TimeSeries:
    expression = f"avg by (target, lead) (argus_forecast_uncorrected_coverage_ratio{{{LEAD}}} >= 0)"
    panel = lines(
        "Coverage without the online correction",
        "Of the band as the model gave it. Far from 80 % while the corrected one is right: the model grows old.",
        "percentunit",
        query(expression, SCORE),
        query("vector(0.8)", "right"),
    )
    return dashed(panel, "right").min(0).max(1)


def _against_naive() -> TimeSeries:
    loss = f"avg by (target, lead) (argus_forecast_pinball_loss{{{LEAD}}} >= 0)"
    naive = f"avg by (target) (argus_forecast_naive_pinball_loss{{{TARGET}}} > 0)"
    panel = lines(
        "Loss against yesterday's value",
        "Pinball loss of what was told over that of yesterday's value taken for certain; below 1 it is worth having.",
        "none",
        query(f"{loss} / on (target) group_left () {naive}", SCORE),
        query("vector(1)", "yesterday's value"),
    )
    return dashed(panel, "yesterday's value").min(0)


def _against_statistical() -> TimeSeries:
    model = f"avg by (target, lead) (argus_forecast_model_pinball_loss{{{LEAD}}} >= 0)"
    statistical = f"avg by (target, lead) (argus_forecast_statistical_pinball_loss{{{LEAD}}} > 0)"
    panel = lines(
        "Loss of the model against the statistical forecaster",
        "Below 1 the model is better. Where the statistical forecaster itself serves it is 1.",
        "none",
        query(f"{model} / {statistical}", SCORE),
        query("vector(1)", "statistical forecaster"),
    )
    return dashed(panel, "statistical forecaster").min(0)


def _demoted() -> TimeSeries:
    demoted = f"sum by (target) (argus_inference_demoted_series{{{TARGET}}})"
    share = f"{demoted} / on () group_left () count(argus_risk_score_ratio)"
    return lines(
        "Share of servers where the model is demoted",
        "There the statistical forecaster was clearly better lately and serves.",
        "percentunit",
        query(share, "{{target}}"),
    ).min(0)


def _ended(outcomes: str) -> str:
    return f'sum by (target) (increase(argus_inference_alerts_ended_total{{{TARGET}, outcome=~"{outcomes}"}}[30d]))'


def _precision() -> TimeSeries:
    return (
        lines(
            "Precision of the alerts, 30 days",
            "Hits of hits and false alarms; empty before the first of either.",
            "percentunit",
            query(f"{_ended('hit')} / {_ended('hit|false')}", "{{target}}"),
        )
        .min(0)
        .max(1)
    )


def _recall() -> TimeSeries:
    return (
        lines(
            "Recall of the alerts, 30 days",
            "Hits of hits and late alerts: crossings that were told before they came.",
            "percentunit",
            query(f"{_ended('hit')} / {_ended('hit|late')}", "{{target}}"),
        )
        .min(0)
        .max(1)
    )


def _false_alarms() -> TimeSeries:
    expression = f"avg by (target) (argus_inference_false_alarms_per_server_day{{{TARGET}}})"
    return lines(
        "False alarms per server and day",
        "Over the last seven days of event time that the replicas have seen.",
        "none",
        query(expression, "{{target}}"),
    ).min(0)


def _lead_time() -> TimeSeries:
    buckets = f"sum by (le) (increase(argus_inference_alert_lead_time_seconds_bucket{{{TARGET}}}[7d]))"
    return lines(
        "Lead time of hits, seven days",
        "From the raising of an alert to the crossing of its limit.",
        "s",
        query(f"histogram_quantile(0.5, {buckets})", "median"),
        query(f"histogram_quantile(0.1, {buckets})", "a tenth is shorter than"),
    ).min(0)
