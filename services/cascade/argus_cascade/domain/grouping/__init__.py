"""Which servers that turn abnormal near each other in time are one cascade."""

from argus_cascade.domain.grouping.grouping import Group, Grouped, Grouping
from argus_cascade.domain.grouping.settings import GroupingSettings

__all__ = ["Group", "Grouped", "Grouping", "GroupingSettings"]
