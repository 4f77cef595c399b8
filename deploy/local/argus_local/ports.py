"""Free TCP ports on the loopback interface."""

import random
import socket

LOOPBACK = "127.0.0.1"
FIRST, LAST = 20_000, 32_000
"""Below the range that systems hand out for outgoing connections: a client that reconnects to a stopped server must
never be given the server's own port as its source."""


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def answers(port: int) -> bool:
    """Whether something accepts connections on this loopback port."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=0.5).close()
    except OSError:
        return False
    return True


def free_ports(count: int) -> list[int]:
    """``count`` different free ports, drawn at random so that two stacks rarely meet."""
    draw = random.SystemRandom()
    found: set[int] = set()
    while len(found) < count:
        port = draw.randint(FIRST, LAST)
        if is_free(port):
            found.add(port)
    return list(found)
