import time

from argus_common.clock import Clock, ManualClock, SystemClock


def test_the_system_clock_tells_utc_milliseconds_and_never_goes_back() -> None:
    clock: Clock = SystemClock()
    before = time.time_ns() // 1_000_000
    assert before <= clock.now_ms() <= time.time_ns() // 1_000_000
    assert clock.monotonic() <= clock.monotonic()


def test_the_manual_clock_stands_still_until_it_is_advanced() -> None:
    clock = ManualClock()
    assert (clock.now_ms(), clock.now_ms(), clock.monotonic()) == (1_735_689_600_000, 1_735_689_600_000, 0.0)
    clock.advance(0.25)
    clock.advance(1)
    assert (clock.now_ms(), clock.monotonic()) == (1_735_689_601_250, 1.25)
