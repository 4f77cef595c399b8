"""Spans of time as people write them."""


def told(seconds: float) -> str:
    """In minutes or hours.

    >>> told(900), told(9000)
    ('15 min', '2.5 h')
    """
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.1f} h"
