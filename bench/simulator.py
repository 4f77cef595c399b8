"""The simulator on one core: samples made and encoded."""

import time

from argus_local import Stack
from argus_simulator.domain.defects import Defects, Transport
from argus_simulator.domain.fleet import make_fleet
from argus_simulator.domain.simulation import Simulation
from argus_simulator.domain.wire import Form, Renderer
from argus_simulator.domain.world import METRICS
from bench.report import Measurement

SERVERS, TICKS, START = 500, 100, 1_735_689_600.0


def measure(stack: Stack) -> list[Measurement]:
    """Samples per CPU second, from the physics to the bytes."""
    del stack
    fleet = make_fleet(SERVERS, 1)
    simulation, transport = Simulation(fleet, 1, START), Transport(Defects(), SERVERS, 1)
    renderer = Renderer(fleet, "default", Form.WIDE)
    begin = time.process_time()
    for number in range(TICKS):
        tick = simulation.tick(START + 10 * number)
        list(renderer.records(transport.deliver(tick.time_s, tick.values)))
    rate = SERVERS * TICKS * len(METRICS) / (time.process_time() - begin)
    return [Measurement("simulator, wide records made and encoded", rate, "samples/cpu-s", 100_000)]
