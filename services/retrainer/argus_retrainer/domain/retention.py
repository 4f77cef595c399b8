"""Which versions of a model may go."""

from collections.abc import Sequence


def superfluous(trained: Sequence[str], served: Sequence[str], keep: int) -> tuple[str, ...]:
    """Versions to delete: of those that the retrainer trained all but the newest ``keep``, never the one that serves
    nor the one before it, to which a rollback leads. What people trained is theirs.

    >>> superfluous(["1", "2", "3", "4"], served=["1", "2"], keep=1)
    ('3',)
    """
    needed = {*served[-2:], *(trained[-keep:] if keep else ())}
    return tuple(version for version in trained if version not in needed)
