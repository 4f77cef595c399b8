"""The panels of drift: how stale the forecasts are by four measures and their parts, and what is open."""

from grafana_foundation_sdk.builders.timeseries import Panel as TimeSeries

from argus_dashboards.parts import dashed, lines, query

PROFILE = 'fleet=~"$fleet", profile=~"$profile", target=~"$target"'
LEAD = f'{PROFILE}, lead=~"$lead"'
KIND = "{{profile}} {{target}}"
WITH_LEAD = f"{KIND}, lead {{{{lead}}}}"


def panels() -> list[TimeSeries]:
    """In the order of the questions: is anything open, are forecasts worse, has the data changed."""
    return [
        _open(),
        _servers(),
        _measure("Prediction error", "Pinball loss over that of the reference: 1 is as good as then.",
            "prediction_error_rate", "as good as then", 1, lead=True),
        _loss(),
        _measure("Coverage of the 10 to 90 % band by profile", "80 % is right.", "coverage", "right", 0.8, lead=True),
        _measure("Distance of the PITs from uniform", "0: calibrated; 1: the furthest.",
            "pit_distance", "calibrated", 0, lead=True),
        _measure("Anomaly rate", "Share of values outside of what was 98 % sure.",
            "anomaly_rate", "as it should be", 0.02),
        _measure("Distribution shift", "Mean difference of the distribution functions.",
            "distribution_shift", "none", 0),
        _measure("Shift of the mean", "In the deviations of the reference.", "mean_shift", "none", 0),
        _measure("Change of the deviation", "Over that of the reference.", "deviation_ratio", "none", 1),
    ]  # fmt: skip


def _measure(title: str, description: str, name: str, right: str, at: float, *, lead: bool = False) -> TimeSeries:
    """A measure of each profile and target, furthest fleet; ``at`` is where it should be."""
    by, chosen, legend = ("profile, target, lead", LEAD, WITH_LEAD) if lead else ("profile, target", PROFILE, KIND)
    shares = ("coverage", "pit_distance", "anomaly_rate", "distribution_shift")
    unit = "percentunit" if name in shares else "none"
    asked = query(f"avg by ({by}) (argus_drift_{name}{{{chosen}}})", legend)
    return dashed(lines(title, description, unit, asked, query(f"vector({at})", right)), right)


def _loss() -> TimeSeries:
    asked = query(f"avg by (profile, target, lead) (argus_drift_pinball{{{LEAD}}})", WITH_LEAD)
    return lines("Pinball loss by profile", "In the target's own unit.", "none", asked).min(0)


def _open() -> TimeSeries:
    events = "sum by (type) (increase(argus_drift_events_total[1h]))"
    return lines(
        "Open drifts",
        "By scope: some servers that stand out, many of a profile, many of all. And the events told in an hour.",
        "none",
        query('sum by (scope) (argus_drift_open{fleet=~"$fleet"})', "{{scope}}"),
        query(events, "{{type}}, per hour"),
    ).min(0)


def _servers() -> TimeSeries:
    return lines(
        "Servers by what is known of them",
        "learning: too little of its past is known to tell; drifted: it takes part in an open drift.",
        "none",
        query('sum by (state) (argus_drift_servers{fleet=~"$fleet"})', "{{state}}"),
    ).min(0)
