"""What the dashboards are put together from: panels with a description, a unit and the one scale of levels."""

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.builders import common as styles
from grafana_foundation_sdk.builders import dashboard as boards
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.builders.stat import Panel as Stat
from grafana_foundation_sdk.builders.statushistory import Panel as StatusHistory
from grafana_foundation_sdk.builders.table import Panel as Table
from grafana_foundation_sdk.builders.timeseries import Panel as TimeSeries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.variants import Dataquery as AnyQuery
from grafana_foundation_sdk.models import common, prometheus
from grafana_foundation_sdk.models.dashboard import (
    DashboardLinkType,
    DataSourceRef,
    DataTransformerConfig,
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
    VariableHide,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from argus_common.levels import COLOURS, FLOORS

SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
FULL_WIDTH = 24
NEUTRAL = "text"

Variable = boards.QueryVariable | boards.CustomVariable | boards.TextBoxVariable


def query(expression: str, legend: str = "") -> Dataquery:
    """A query over the range that is shown."""
    return Dataquery().expr(expression).legend_format(legend or "__auto").datasource(SOURCE)


def now(expression: str, legend: str = "") -> Dataquery:
    """A query of the newest values alone."""
    return query(expression, legend).instant()


def rows(expression: str, letter: str) -> Dataquery:
    """The newest values as rows of a table; ``letter`` names the query in transformations."""
    return now(expression).format(prometheus.PromQueryFormat.TABLE).ref_id(letter)


def _lettered(queries: Sequence[Dataquery]) -> list[Builder[AnyQuery]]:
    return [asked.ref_id(chr(ord("A") + place)) for place, asked in enumerate(queries)]


def levels() -> boards.ThresholdsConfig:
    """The colours of a risk between 0 and 1."""
    worst_last = sorted(FLOORS, key=lambda level: FLOORS[level])
    first, *rest = worst_last
    steps = [Threshold(None, COLOURS[first]), *(Threshold(FLOORS[level] / 100, COLOURS[level]) for level in rest)]
    return thresholds(steps)


def thresholds(steps: list[Threshold]) -> boards.ThresholdsConfig:
    """Colours from values on; the first has none."""
    return boards.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)


def plain() -> boards.ThresholdsConfig:
    """No colour: a number that is neither good nor bad."""
    return thresholds([Threshold(None, NEUTRAL)])


def lines(title: str, description: str, unit: str, *queries: Dataquery, width: int = 12) -> TimeSeries:
    """Lines over time; unknown stays a gap."""
    panel = TimeSeries().title(title).description(description).unit(unit).datasource(SOURCE).span(width).height(8)
    panel.targets(_lettered(queries)).line_width(1).fill_opacity(0).show_points(common.VisibilityMode.NEVER)
    panel.tooltip(styles.VizTooltipOptions().mode(common.TooltipDisplayMode.MULTI).sort(common.SortOrder.DESCENDING))
    return panel.legend(styles.VizLegendOptions().show_legend(True).placement(common.LegendPlacement.BOTTOM))


def number(title: str, description: str, unit: str, asked: Dataquery, *, width: int = 4) -> Stat:
    """One number with its recent course."""
    panel = Stat().title(title).description(description).unit(unit).datasource(SOURCE).span(width).height(4)
    panel.reduce_options(styles.ReduceDataOptions().calcs(["lastNotNull"]))
    panel.targets(_lettered([asked])).thresholds(plain()).graph_mode(common.BigValueGraphMode.AREA)
    return panel.decimals(0) if unit == "none" else panel


def strips(title: str, description: str, unit: str, asked: Dataquery) -> StatusHistory:
    """One coloured strip per series."""
    panel = StatusHistory().title(title).description(description).unit(unit).datasource(SOURCE)
    panel.span(FULL_WIDTH).height(10).targets(_lettered([asked])).thresholds(levels()).min(0).max(1)
    panel.color_scheme(boards.FieldColor().mode(FieldColorModeId.THRESHOLDS))
    return panel.show_value(common.VisibilityMode.NEVER).fill_opacity(90).line_width(0)


def table(title: str, description: str, columns: dict[str, str], *queries: Dataquery, width: int = FULL_WIDTH) -> Table:
    """The newest values of several queries beside each other. ``columns``: label, or ``Value #LETTER`` → heading."""
    hidden = dict.fromkeys(("Time", "__name__", "job", "instance", "le"), True)
    order = {name: place for place, name in enumerate(columns)}
    organised = {"excludeByName": hidden, "renameByName": columns, "indexByName": order}
    panel = Table().title(title).description(description).datasource(SOURCE).span(width).height(10)
    panel.targets([*queries]).with_transformation(DataTransformerConfig(id_val="merge", options={}))
    return panel.with_transformation(DataTransformerConfig(id_val="organize", options=organised))


def units(panel: Table, **by_heading: str) -> Table:
    """Units of the table's columns; ``_`` in a heading's name stands for a space."""
    for heading, unit in by_heading.items():
        panel.override_by_name(heading.replace("_", " "), [DynamicConfigValue("unit", unit)])
    return panel


def dashed(panel: TimeSeries, name: str) -> TimeSeries:
    """Draw the series of this name as a dashed grey line: what the others are compared with."""
    style = {"fill": "dash", "dash": [8, 8]}
    grey = {"mode": "fixed", "fixedColor": NEUTRAL}
    return panel.override_by_name(
        name, [DynamicConfigValue("custom.lineStyle", style), DynamicConfigValue("color", grey)]
    )


def band(panel: TimeSeries, upper: str, lower: str) -> TimeSeries:
    """Fill between two series."""
    thin = [
        DynamicConfigValue("custom.lineWidth", 0),
        DynamicConfigValue("color", {"mode": "fixed", "fixedColor": "blue"}),
    ]
    fill = [DynamicConfigValue("custom.fillBelowTo", lower), DynamicConfigValue("custom.fillOpacity", 20)]
    return panel.override_by_name(upper, [*thin, *fill]).override_by_name(lower, thin)


def choice(name: str, label: str, asked: str, *, several: bool = True) -> boards.QueryVariable:
    """A variable whose values are those of a label."""
    variable = (
        boards.QueryVariable(name).label(label).query(asked).datasource(SOURCE).sort(VariableSort.ALPHABETICAL_ASC)
    )
    variable.refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
    return variable.multi(True).include_all(True).all_value(".*") if several else variable


def assumption(name: str, label: str, description: str, value: str) -> boards.TextBoxVariable:
    """A number that only the reader can know."""
    box = boards.TextBoxVariable(name).label(label).description(description).default_value(value)
    chosen = VariableOption(selected=True, text=value, value=value)
    return box.current(chosen).options([chosen])


def one_of(name: str, label: str, description: str, values: Mapping[str, str]) -> boards.CustomVariable:
    """A choice between ``values``: what is shown → what is asked. The first is chosen."""
    listed = ", ".join(f"{shown} : {asked}" for shown, asked in values.items())
    options = [
        VariableOption(selected=place == 0, text=shown, value=asked)
        for place, (shown, asked) in enumerate(values.items())
    ]
    variable = boards.CustomVariable(name).label(label).description(description).values(listed)
    return variable.current(options[0]).options(options)


def board(uid: str, title: str, description: str, variables: Sequence[Variable] = ()) -> boards.Dashboard:
    """An empty dashboard of the family: data source by choice, links to its siblings, nothing to be edited."""
    made = boards.Dashboard(f"Argus / {title}").uid(uid).description(description).tags(["argus"]).readonly()
    made.time("now-6h", "now").refresh("30s").timezone("browser")
    made.with_variable(boards.DatasourceVariable("datasource").label("Data source").type("prometheus"))
    for variable in variables:
        made.with_variable(variable.hide(VariableHide.DONT_HIDE))
    siblings = boards.DashboardLink("Argus").type(DashboardLinkType.DASHBOARDS).tags(["argus"]).as_dropdown(True)
    swapped = 'sum(changes(argus_inference_model_swaps_total{outcome="swapped"}[$__rate_interval])) > 0'
    return made.link(siblings.include_vars(True).keep_time(True)).annotation(mark("Model swapped", swapped, "purple"))


def mark(name: str, expression: str, colour: str) -> boards.AnnotationQuery:
    """A line through every panel whenever ``expression`` has a value."""
    return boards.AnnotationQuery().name(name).datasource(SOURCE).expr(expression).icon_color(colour).enable(True)
