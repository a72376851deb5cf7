"""A process of its own that holds very many idle connections: `idle.py PORT COUNT`.

It says `open N` when they are there; at the end of its input how many of them still are.
"""

import contextlib
import resource
import select
import socket
import sys

PER_ADDRESS = 20
SPARE = 100  # descriptors for everything else


def most() -> int:
    """How many sockets a process may have here."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return hard - SPARE if hard != resource.RLIM_INFINITY else 1 << 20


def address(number: int) -> str:
    """A loopback address for so many connections at a time."""
    number //= PER_ADDRESS
    return f"127.1.{number // 250}.{number % 250 + 1}"


def opened(port: int, number: int) -> socket.socket:
    """A connection that has said hello."""
    one = socket.create_connection(("127.0.0.1", port), 60, (address(number), 0))
    one.recv(4096)
    one.sendall(b"EHLO idle.example\r\n")
    one.recv(4096)
    return one


def alive(held: list[socket.socket]) -> int:
    """How many of them the other side has not closed; none has anything to say to us."""
    poll = select.poll()
    for one in held:
        poll.register(one, select.POLLIN | select.POLLHUP)
    return len(held) - len(poll.poll(0))


def main(port: int, count: int) -> None:
    """Open, wait, count, close."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    held: list[socket.socket] = []
    for number in range(count):
        with contextlib.suppress(OSError):
            held.append(opened(port, number))
    print(f"open {len(held)}", flush=True)
    sys.stdin.readline()
    print(f"alive {alive(held)}", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
