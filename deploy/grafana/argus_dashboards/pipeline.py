"""Pipeline: does Argus itself keep up, and what does it cost."""

from grafana_foundation_sdk.builders.dashboard import Dashboard, Row
from grafana_foundation_sdk.builders.timeseries import Panel as TimeSeries
from grafana_foundation_sdk.models.dashboard import Threshold

from argus_common.levels import COLOURS, Level
from argus_dashboards.parts import board, lines, number, query, thresholds

JOB = 'job=~"argus-.+"'
RATE = "$__rate_interval"


def build() -> Dashboard:
    """The dashboard of whoever operates Argus."""
    made = board("argus-pipeline", "Pipeline", "Argus itself: queues, throughput, latency, dead letters, resources.")
    down = number(
        "Replicas down", "Scrape targets of Argus that do not answer.", "none", query(f"sum(1 - up{{{JOB}}})"), width=6
    )
    alarm = thresholds([Threshold(None, COLOURS[Level.HEALTHY]), Threshold(1, COLOURS[Level.CRITICAL])])
    made.with_panel(down.thresholds(alarm))
    made.with_panel(number("Servers", "That ingest knows.", "none", query("sum(argus_ingest_servers)"), width=6))
    samples = query("sum(rate(argus_ingest_samples_total[5m]))")
    made.with_panel(number("Samples per second", "Accepted by ingest.", "short", samples, width=6))
    forecasts = query("sum(increase(argus_inference_forecasts_total[10m])) / 10")
    made.with_panel(number("Forecasts per minute", "Published, over ten minutes.", "short", forecasts, width=6))
    for title, panels in (("Queues and flow", _flow()), ("Latency", _latency()), ("What went wrong", _refused())):
        made.with_row(Row(title))
        for panel in panels:
            made.with_panel(panel)
    made.with_row(Row("Resources"))
    for panel in _resources():
        made.with_panel(panel)
    return made


def _flow() -> list[TimeSeries]:
    return [
        lines(
            "Records that wait",
            "Not read yet, by position and not by commit: ingest commits behind its open steps by design.",
            "short",
            query("sum(argus_ingest_lag_records)", "ingest"),
            query("sum(argus_inference_lag_records)", "inference"),
            query("sum(argus_cascade_lag_records)", "cascade"),
            query("sum(argus_retrainer_lag_records)", "retrainer"),
        ),
        lines(
            "Throughput per second",
            "Records read and windows closed by ingest, forecasts published and read by cascade, windows archived.",
            "short",
            query(f"sum(rate(argus_ingest_records_total[{RATE}]))", "records"),
            query(f"sum(rate(argus_ingest_windows_total[{RATE}]))", "windows"),
            query(f"sum(rate(argus_inference_forecasts_total[{RATE}]))", "forecasts"),
            query(f"sum(rate(argus_cascade_forecasts_total[{RATE}]))", "read by cascade"),
            query(f"sum(rate(argus_retrainer_archived_windows_total[{RATE}]))", "archived"),
        ),
    ]


def _latency() -> list[TimeSeries]:
    def quantiles(title: str, description: str, histogram: str) -> TimeSeries:
        buckets = f"sum by (le) (rate({histogram}_bucket[15m]))"
        asked = [query(f"histogram_quantile({q}, {buckets})", name) for q, name in ((0.5, "median"), (0.99, "99 %"))]
        return lines(title, description, "s", *asked).min(0)

    return [
        quantiles(
            "From a window to its forecast",
            "From the window's publication to the forecast's acknowledgement.",
            "argus_inference_window_to_forecast_seconds",
        ),
        quantiles(
            "From the end of a step to the forecast",
            "In event time; large while old data is read.",
            "argus_inference_step_to_forecast_seconds",
        ),
        quantiles(
            "A batch of forecasts",
            "From windows taken to forecasts acknowledged.",
            "argus_inference_batch_duration_seconds",
        ),
        quantiles(
            "Closing a step in ingest",
            "From closed windows to rings written, events acknowledged and state saved.",
            "argus_ingest_flush_duration_seconds",
        ),
        quantiles(
            "From a forecast to what cascade tells of it",
            "From a step's newest forecast until all that follows from it is acknowledged; large while catching up.",
            "argus_cascade_forecast_to_event_seconds",
        ),
        quantiles(
            "A step of a fleet in drift",
            "From its forecasts to its measures and events.",
            "argus_drift_step_seconds",
        ),
        quantiles(
            "Writing to the archive",
            "From windows that are due to durable files.",
            "argus_retrainer_archive_write_seconds",
        ),
        lines(
            "Last step of drift",
            "How long ago, in event time, the newest step ended that drift has taken in.",
            "s",
            query("time() - max by (fleet) (argus_drift_last_step_timestamp_seconds)", "{{fleet}}"),
        ),
    ]


def _refused() -> list[TimeSeries]:
    return [
        lines(
            "Refused samples and records per second",
            "By reason; they are on the dead-letter topic: `argus dead-letters list`.",
            "short",
            query(f"sum by (reason) (rate(argus_ingest_rejected_samples_total[{RATE}]))", "{{reason}}"),
        ),
        lines(
            "Unreadable windows, forecasts and commands",
            "More than none means that somebody else writes to Argus' topics.",
            "short",
            query(f"sum(increase(argus_inference_dead_letters_total[{RATE}]))", "windows"),
            query(f"sum(increase(argus_cascade_dead_letters_total[{RATE}]))", "forecasts"),
            query(f"sum(increase(argus_retrainer_dead_letters_total[{RATE}]))", "windows, for the archive"),
            query(f"sum(increase(argus_inference_unreadable_commands_total[{RATE}]))", "commands"),
        ),
        lines(
            "Windows that were not forecast from",
            "superseded: a newer one of the server was read, as when catching up. no_target: nothing to forecast.",
            "short",
            query(f"sum by (reason) (increase(argus_inference_skipped_windows_total[{RATE}]))", "{{reason}}"),
        ),
        lines(
            "Rebuilt and read again",
            "Ring rows rebuilt from the windows topic after Redis lost them; rows read again after a restart.",
            "short",
            query(f"sum(increase(argus_ingest_rebuilt_rows_total[{RATE}]))", "rebuilt"),
            query(f"sum(increase(argus_ingest_replayed_rows_total[{RATE}]))", "read again"),
        ),
    ]


def _resources() -> list[TimeSeries]:
    replica = "{{job}} {{instance}}"
    return [
        lines(
            "CPU",
            "Cores used by each replica; ingest and inference use one at most.",
            "short",
            query(f"rate(process_cpu_seconds_total{{{JOB}}}[{RATE}])", replica),
        ),
        lines("Memory", "Resident memory.", "bytes", query(f"process_resident_memory_bytes{{{JOB}}}", replica)),
        lines("Open rows", "Rows of open steps in ingest.", "short", query("argus_ingest_open_rows", replica)),
        lines(
            "Started",
            "How long each replica has been running: a drop is a restart.",
            "s",
            query(f"time() - process_start_time_seconds{{{JOB}}}", replica),
        ),
    ]  # fmt: skip
