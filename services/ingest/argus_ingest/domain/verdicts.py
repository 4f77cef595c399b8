"""Why a sample or a record was refused. Reasons are a closed set, so that they can be counted."""

from dataclasses import dataclass, field

REASONS = (
    "empty",
    "future_clock",
    "invalid_server",
    "invalid_timestamp",
    "late",
    "missing_server",
    "not_finite",
    "not_json",
    "out_of_range",
    "too_large",
    "too_many_servers",
    "unknown_metric",
    "wrong_type",
)
_SHOWN = 20
"""Rejections spelled out per record; the rest is a number, since a record can hold thousands."""


@dataclass(slots=True)
class Verdicts:
    """The rejections of one batch, by index of the Kafka record."""

    by_record: dict[int, list[tuple[str, str]]] = field(default_factory=dict)

    def reject(self, record: int, reason: str, detail: str) -> None:
        """Note that something in ``record`` was refused, with the reason and what a person needs to mend it."""
        self.by_record.setdefault(record, []).append((reason, detail))

    def counts(self) -> dict[str, int]:
        """Rejections per reason."""
        totals: dict[str, int] = {}
        for rejections in self.by_record.values():
            for reason, _ in rejections:
                totals[reason] = totals.get(reason, 0) + 1
        return totals

    def summary(self, record: int) -> tuple[str, str]:
        """(reason, detail) of one record: its first reason, and all of them spelled out up to a bound."""
        rejections = self.by_record[record]
        shown = "; ".join(f"{reason}: {detail}" for reason, detail in rejections[:_SHOWN])
        more = len(rejections) - _SHOWN
        return rejections[0][0], shown + (f"; and {more} more" if more > 0 else "")
