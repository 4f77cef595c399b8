import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from argus_common.ring import RingLayout

LAYOUT = RingLayout(width=2, steps=4)


def steps_of(*numbers: int) -> npt.NDArray[np.int64]:
    return np.asarray(numbers, np.int64)


def test_a_row_is_the_step_number_plus_one_and_the_values_in_little_endian() -> None:
    (row,) = LAYOUT.pack(steps_of(256), np.asarray([[1.0, -2.0]], np.float32))
    assert row == b"\x01\x01\x00\x00" + b"\x00\x00\x80\x3f" + b"\x00\x00\x00\xc0"
    assert (LAYOUT.row_bytes, LAYOUT.ring_bytes) == (12, 48)


def test_a_step_lies_at_its_number_modulo_the_length() -> None:
    assert [LAYOUT.offset(step) for step in (0, 3, 4, 4_000_000_001)] == [0, 36, 0, 12]


@pytest.mark.parametrize(
    ("first", "length", "expected"),
    [
        (0, 4, [(0, 47)]),
        (4, 2, [(0, 23)]),
        (3, 1, [(36, 47)]),
        (3, 2, [(36, 47), (0, 11)]),
        (2, 4, [(24, 47), (0, 23)]),
        (-1, 2, [(36, 47), (0, 11)]),
    ],
)
def test_a_range_is_split_where_it_wraps_around(first: int, length: int, expected: list[tuple[int, int]]) -> None:
    assert LAYOUT.ranges(first, length) == expected


@given(
    st.lists(st.integers(0, 2**32 - 2), min_size=1, max_size=20, unique=True),
    st.integers(1, 15),
    st.integers(0, 2**32 - 1),
)
def test_unpacking_undoes_packing(numbers: list[int], width: int, seed: int) -> None:
    steps = steps_of(*numbers)
    values = np.random.default_rng(seed).integers(0, 2**32, (len(steps), width), np.uint32).view(np.float32)
    layout = RingLayout(width)
    block = b"".join(layout.pack(steps, values))
    unpacked = layout.unpack([block, block], steps)
    np.testing.assert_array_equal(unpacked, np.stack([values, values]))  # any NaN is a NaN
    np.testing.assert_array_equal(np.signbit(unpacked[0][values == 0]), np.signbit(values[values == 0]))


def test_a_row_of_another_step_is_missing() -> None:
    values = np.asarray([[1, 2], [3, 4]], np.float32)
    block = b"".join(LAYOUT.pack(steps_of(8, 5), values))
    unpacked = LAYOUT.unpack([block], steps_of(8, 9))
    assert unpacked[0, 0].tolist() == [1, 2]
    assert np.isnan(unpacked[0, 1]).all()


def test_bytes_that_were_never_written_belong_to_no_step_not_even_to_step_zero() -> None:
    assert np.isnan(LAYOUT.unpack([b"", bytes(24)], steps_of(0, 1))).all()
    assert np.isnan(LAYOUT.unpack([b"", bytes(24)], steps_of(-1, 0))).all()


def test_a_missing_value_stays_missing() -> None:
    (row,) = LAYOUT.pack(steps_of(7), np.asarray([[np.nan, 5]], np.float32))
    assert np.isnan(LAYOUT.unpack([row], steps_of(7))[0, 0, 0])


def test_nothing_packs_to_nothing() -> None:
    assert LAYOUT.pack(steps_of(), np.empty((0, 2), np.float32)) == []


@pytest.mark.parametrize("step", [-1, 2**32 - 1])
def test_a_step_number_that_does_not_fit_is_refused_rather_than_wrapped(step: int) -> None:
    with pytest.raises(ValueError, match=f"step numbers from {step} to {step} do not fit into a ring"):
        LAYOUT.pack(steps_of(step), np.zeros((1, 2), np.float32))


@pytest.mark.parametrize(("width", "steps"), [(0, 10), (3, 0)])
def test_a_ring_of_nothing_is_refused(width: int, steps: int) -> None:
    with pytest.raises(ValueError, match="at least one step and one value"):
        RingLayout(width, steps)
