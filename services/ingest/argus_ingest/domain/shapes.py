"""Resolves the metric names of a record to columns once, since a producer sends the same names again and again."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from argus_common.metrics import Catalogue
from argus_ingest.domain.mapping import Mapping

Block = npt.NDArray[np.float64]

_REMEMBERED_CHARACTERS = 4_000_000
"""Of the names of all shapes kept, with a surcharge each; a producer that invents names must not fill the memory."""
_SURCHARGE = 64


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
    """Nothing to convert, leave out or merge: the values go into the columns as they are."""

    def place(self, block: Block, metrics: int) -> Block:
        """(row, metric) values in catalogue units, NaN = no sample.

        Args:
            block: (row, name) values as they came, NaN = absent.
            metrics: columns of the result.
        """
        if self.straight and np.array_equal(self.columns, np.arange(metrics)):
            return block
        matrix = np.full((len(block), metrics), np.nan)
        with np.errstate(over="ignore"):  # what overflows is refused as not finite
            converted = block[:, self.positions] * self.scale + self.offset
        if self.straight:
            matrix[:, self.columns] = converted
            return matrix
        for position, column in enumerate(self.columns.tolist()):
            # Where two incoming names mean the same metric, the one that is present counts, else the larger.
            matrix[:, column] = np.fmax(matrix[:, column], converted[:, position])
        return matrix


class ShapeTable:
    """Shapes by their names. Columns are those of ``catalogue.received()``."""

    def __init__(self, catalogue: Catalogue, mapping: Mapping) -> None:
        self._columns = {metric.name: i for i, metric in enumerate(catalogue.received())}
        self._mapping = mapping
        self._shapes: dict[tuple[str, ...], Shape] = {}
        self._characters = 0

    def resolve(self, names: tuple[str, ...]) -> Shape:
        """The shape of these names."""
        shape = self._shapes.get(names)
        if shape is None:
            shape = self._build(names)
            self._remember(names, shape)
        return shape

    def _remember(self, names: tuple[str, ...], shape: Shape) -> None:
        characters = sum(len(name) + _SURCHARGE for name in names)
        if self._characters + characters > _REMEMBERED_CHARACTERS:
            self._shapes.clear()
            self._characters = 0
        if characters <= _REMEMBERED_CHARACTERS:
            self._shapes[names] = shape
            self._characters += characters

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
        columns = np.array([self._columns[sources[i].metric] for i in kept], np.int64)
        return Shape(
            positions=np.array(kept, np.int64),
            columns=columns,
            scale=scale,
            offset=offset,
            unknown=tuple(unknown),
            straight=len(set(columns.tolist())) == len(names) and bool((scale == 1).all() and (offset == 0).all()),
        )
