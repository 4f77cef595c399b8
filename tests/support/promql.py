"""Which series a PromQL expression names."""

import re

SELECTOR = re.compile(r"(?<![\w:\"])([a-zA-Z_:][\w:]*)\s*(\{[^}]*\})?")
QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
LABEL_LISTS = re.compile(r"\b(by|on|without|ignoring|group_left|group_right)\s*\([^)]*\)")
OURS = re.compile(r"argus_|process_|up$|.*:argus_")


def series_named(expression: str) -> set[str]:
    """Names of the series, of Argus and of its processes, that an expression reads.

    >>> sorted(series_named('sum by (argus_x) (rate(argus_a_total{b="argus_c"}[5m])) / up'))
    ['argus_a_total', 'up']
    """
    plain = LABEL_LISTS.sub(" ", re.sub(r"\{[^}]*\}", "", QUOTED.sub('""', expression)))
    return {name for name, _ in SELECTOR.findall(plain) if OURS.match(name)}


def without_filters(expression: str) -> str:
    """The expression without the comparisons that drop what is fine, so that it must give something."""
    return re.sub(r" (?:[<>]=?) (?:\+Inf|0(?:\.\d+)?)(?=\)| |$)", "", expression)
