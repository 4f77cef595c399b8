"""From sample paths and their quantiles to what is served: bands, breach probabilities, times to threshold."""

from argus_forecasting.calibration import Calibration
from argus_forecasting.forecaster import Bands, Floats, SeriesBatch
from argus_forecasting.online.bands import corrected
from argus_forecasting.online.limits import limit_before
from argus_forecasting.statistical.summary import breaches, crossing_curve


def answers(
    batch: SeriesBatch,
    paths: Floats,
    quantiles: Floats,
    levels: tuple[float, ...],
    lines: Calibration,
    bands: Bands | None,
) -> tuple[Floats, Floats, Floats]:
    """(quantiles, breach probability, time to threshold) as in `ForecastBatch`.

    Where bands were learned online the paths count as moved along with the quantiles.

    Args:
        batch: the series.
        paths: (series, lead, sample) with the marginals of ``quantiles``.
        quantiles: (series, lead, level).
        levels: of ``quantiles``.
        lines: make shares of paths into probabilities.
        bands: what was learned of this forecaster's bands.
    """
    served, limit = quantiles, batch.limit
    if bands is not None:
        served = corrected(quantiles, levels, bands, batch.lower, batch.upper)
        limit = limit_before(batch.limit, batch.harm, quantiles, served)
    curve = lines.probabilities(crossing_curve(paths, limit, batch.harm), batch.step_seconds)
    return served, *breaches(curve, batch.step_seconds)
