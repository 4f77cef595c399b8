"""Numbers as Grafana writes them."""

import math

SPANS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"), (1e-3, "ms"), (1, "s"))
SIZES = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1, "B"))
COUNTS = ((1e6, "M"), (1e3, "k"), (1, ""))


def written(value: float, unit: str, decimals: int | None = None) -> str:
    """A value with its unit.

    >>> written(0.253, "percentunit"), written(5400, "s"), written(2.5e6, "bytes"), written(12_300, "short")
    ('25.3 %', '1.5 h', '2.5 MB', '12.3 k')
    """
    if not math.isfinite(value):
        return "" if math.isnan(value) else "∞"
    if decimals is not None and unit == "none":
        return f"{value:,.{decimals}f}"
    if unit == "percentunit":
        return f"{value * 100:.3g} %"
    if unit == "h":
        return written(value * 3600, "s")
    scales = {"s": SPANS, "bytes": SIZES, "short": COUNTS}.get(unit, ())
    factor, sign = next(
        ((factor, sign) for factor, sign in scales if abs(value) >= factor), (1.0, scales[-1][1] if scales else "")
    )
    number = f"{value / factor:,.0f}" if abs(value / factor) >= 100 else f"{value / factor:.3g}"
    return f"{number} {sign}".strip()
