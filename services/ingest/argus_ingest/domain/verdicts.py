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
"""Rejections spelled out per record; the rest is a number, since a record can hold a hundred thousand."""
_SHOWN_CHARACTERS = 1000
"""Of each of them, for names come from outside."""


@dataclass(slots=True)
class Rejections:
    """What was refused in one record: the first of them spelled out, all of them counted by reason."""

    shown: list[tuple[str, str]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Verdicts:
    """The rejections of one batch, by index of the Kafka record. Bounded, whatever a record holds."""

    by_record: dict[int, Rejections] = field(default_factory=dict)

    def reject(self, record: int, reason: str, detail: str) -> None:
        """Note that something in ``record`` was refused, with the reason and what a person needs to mend it."""
        rejections = self.by_record.setdefault(record, Rejections())
        rejections.counts[reason] = rejections.counts.get(reason, 0) + 1
        if len(rejections.shown) < _SHOWN:
            rejections.shown.append((reason, detail[:_SHOWN_CHARACTERS]))

    def counts(self) -> dict[str, int]:
        """Rejections per reason."""
        totals: dict[str, int] = {}
        for rejections in self.by_record.values():
            for reason, count in rejections.counts.items():
                totals[reason] = totals.get(reason, 0) + count
        return totals

    def only(self, record: int, reason: str) -> bool:
        """Whether everything that was refused in ``record`` was refused for this reason."""
        return set(self.by_record[record].counts) == {reason}

    def summary(self, record: int) -> tuple[str, str]:
        """(reason, detail) of one record: its first reason, and all of them spelled out up to a bound."""
        rejections = self.by_record[record]
        shown = "; ".join(f"{reason}: {detail}" for reason, detail in rejections.shown)
        more = sum(rejections.counts.values()) - len(rejections.shown)
        return rejections.shown[0][0], shown + (f"; and {more} more" if more else "")
