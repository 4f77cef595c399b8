"""Resolves the metric names of a record to columns once, since a producer sends the same names again and again."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from argus_common.metrics import Catalogue
from argus_ingest.domain.mapping import Mapping

_REMEMBERED = 4096
"""Shapes kept; a producer that invents names must not fill the memory."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What to do with records that carry exactly these metric names, in this order.

    ``positions``: (kept,) where in the record; ``columns``: (kept,) where in a row; value × ``scale`` + ``offset``.
    """

    positions: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int64]
    scale: npt.NDArray[np.float64]
    offset: npt.NDArray[np.float64]
    unknown: tuple[str, ...]
    straight: bool
    """Nothing to convert or leave out: the values go into the columns as they are."""


class ShapeTable:
    """Shapes by their names. Columns are those of ``catalogue.received()``."""

    def __init__(self, catalogue: Catalogue, mapping: Mapping) -> None:
        self._columns = {metric.name: i for i, metric in enumerate(catalogue.received())}
        self._mapping = mapping
        self._shapes: dict[tuple[str, ...], Shape] = {}

    def resolve(self, names: tuple[str, ...]) -> Shape:
        """The shape of these names."""
        shape = self._shapes.get(names)
        if shape is None:
            if len(self._shapes) >= _REMEMBERED:
                self._shapes.clear()
            shape = self._shapes[names] = self._build(names)
        return shape

    def _build(self, names: tuple[str, ...]) -> Shape:
        sources = [self._mapping.source(name) for name in names]
        kept = [i for i, source in enumerate(sources) if source.metric in self._columns]
        unknown = [
            name
            for name, source in zip(names, sources, strict=True)
            if source.metric not in self._columns and not self._mapping.ignores(name)
        ]
        scale = np.array([sources[i].scale for i in kept])
        offset = np.array([sources[i].offset for i in kept])
        return Shape(
            positions=np.array(kept, np.int64),
            columns=np.array([self._columns[sources[i].metric] for i in kept], np.int64),
            scale=scale,
            offset=offset,
            unknown=tuple(unknown),
            straight=len(kept) == len(names) and bool((scale == 1).all() and (offset == 0).all()),
        )
