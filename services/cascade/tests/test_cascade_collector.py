"""When a step is over, and what becomes of forecasts that come too late or twice."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from argus_cascade.domain.columns import Row
from argus_common.forecasts.collector import LATELY_STEPS, PATIENCE, Collector, Gathered

SETTLE = 1.0
ROW = Row("generic", np.zeros(1))
FLEET = [f"web{i}" for i in range(20)]


class Fed:
    """A collector, and what it was fed."""

    def __init__(self) -> None:
        self.collector: Collector[Row] = Collector(SETTLE)
        self.offset, self.over = 0, list[Gathered[Row]]()

    def take(self, step: int, *servers: str, now: float = 0.0) -> list[str]:
        found = list[str]()
        for server in servers:
            taken, over = self.collector.take(server, step, ROW, self.offset, 1000 + self.offset, now)
            self.offset += 1
            self.over += [over] if over else []
            found.append(taken)
        return found

    def due(self, now: float = 0.0, *, at_end: bool = True) -> Gathered[Row] | None:
        over = self.collector.due(now, at_end=at_end)
        self.over += [over] if over else []
        return over


def known() -> Fed:
    """A fleet whose first step is over."""
    fed = Fed()
    fed.take(1, *FLEET)
    fed.due(SETTLE)
    return fed


def test_a_step_is_over_once_every_server_heard_of_lately_has_reported() -> None:
    fed = known()
    fed.take(2, *FLEET[:-1])
    assert fed.due() is None
    fed.take(2, FLEET[-1])
    over = fed.due(at_end=False)
    assert over is not None
    assert (over.step, set(over.rows), over.cause) == (2, set(FLEET), "complete")
    assert over.published_ms == 1000 + fed.offset - 1


def test_the_first_step_of_a_fleet_is_over_when_nothing_new_comes_for_nobody_knows_who_belongs_to_it() -> None:
    fed = Fed()
    fed.take(1, *FLEET, now=5.0)
    assert fed.due(5.0 + SETTLE / 2) is None
    assert not fed.collector.may_settle(5.0 + SETTLE / 2)
    assert fed.collector.may_settle(5.0 + SETTLE)
    assert fed.due(5.0 + SETTLE, at_end=False) is None
    over = fed.due(5.0 + SETTLE)
    assert over is not None
    assert over.cause == "settled"


def test_a_few_silent_servers_are_waited_for_the_settling_time_and_many_much_longer() -> None:
    few, many = known(), known()
    few.take(2, *FLEET[:18])
    many.take(2, *FLEET[:17])
    assert few.due(SETTLE) is not None
    assert many.due(SETTLE) is None
    assert many.due(PATIENCE * SETTLE) is not None


def test_a_later_step_ends_the_one_before() -> None:
    fed = known()
    fed.take(2, "web0", "web1")
    fed.take(5, "web0")
    assert [(over.step, over.cause) for over in fed.over] == [(1, "settled"), (2, "later_step")]
    assert fed.collector.first_needed() == fed.offset - 1


def test_a_server_that_was_not_heard_of_lately_is_not_waited_for() -> None:
    fed = known()
    for step in range(2, 2 + LATELY_STEPS):
        fed.take(step, *FLEET[1:])
        fed.due(SETTLE)
    fed.take(2 + LATELY_STEPS, *FLEET[1:])
    over = fed.due()
    assert over is not None
    assert over.cause == "complete"
    assert len(fed.collector.heard) == len(FLEET) - 1


def test_a_forecast_that_comes_again_counts_once_before_and_after_the_tick() -> None:
    fed = known()
    assert fed.take(2, "web0", "web0") == ["taken", "repeated"]
    fed.take(2, *FLEET[1:])
    fed.due()
    assert fed.take(2, "web0") == ["repeated"]
    assert fed.collector.first_needed() is None


def test_a_late_forecast_is_left_out_and_its_server_is_waited_for_from_then_on() -> None:
    fed = known()
    assert fed.take(1, "new") == ["late"]
    assert fed.take(1, "new") == ["repeated"]
    fed.take(2, *FLEET)
    assert fed.due() is None
    fed.take(2, "new")
    assert fed.due() is not None


Arrivals = st.lists(st.tuples(st.sampled_from(FLEET[:4]), st.integers(0, 6)), max_size=60)


@given(Arrivals)
def test_every_forecast_that_is_taken_is_in_one_tick_and_ticks_rise(arrivals: list[tuple[str, int]]) -> None:
    fed, taken = Fed(), []
    for server, step in arrivals:
        if fed.take(step, server) == ["taken"]:
            taken.append((server, step))
        fed.due(at_end=False)
    fed.due(PATIENCE * SETTLE)
    steps = [over.step for over in fed.over]
    assert steps == sorted(set(steps))
    ticked = [(server, over.step) for over in fed.over for server in over.rows]
    assert sorted(ticked) == sorted(taken)
    assert len(set(ticked)) == len(ticked)


@given(Arrivals, st.integers(0, 60))
def test_reading_again_from_what_is_needed_ticks_the_same_steps(arrivals: list[tuple[str, int]], stop: int) -> None:
    """A crash after a tick was remembered: the steps that follow are those of a process that never died."""
    calm, before, after = Fed(), Fed(), Fed()
    for server, step in arrivals:
        calm.take(step, server)
    needed, remembered = 0, (-1, dict[str, int]())
    for server, step in arrivals[:stop]:
        count = len(before.over)
        before.take(step, server)
        if len(before.over) > count:
            needed, remembered = (
                before.collector.first_needed() or 0,
                (before.collector.ticked, dict(before.collector.heard)),
            )
    after.collector = Collector(SETTLE, *remembered)
    for server, step in arrivals[needed:]:
        after.take(step, server)
    remaining = calm.over[len([over for over in calm.over if over.step <= remembered[0]]) :]
    assert [(over.step, set(over.rows)) for over in after.over] == [(over.step, set(over.rows)) for over in remaining]
