"""Listening sockets that a service manager opened for us (sd_listen_fds(3)).

The manager binds port 25, so that we need no right to; and it keeps the queue of connections while
we start again.
"""

import os
import socket
from collections.abc import Mapping

from gateway.errors import BadInput

FIRST = 3


def sockets(environment: Mapping[str, str], pid: int) -> dict[str, socket.socket]:
    """By address as a listener writes it; empty where none were handed to this process."""
    if environment.get("LISTEN_PID") != str(pid):
        return {}
    count = environment.get("LISTEN_FDS", "")
    if not count.isdigit():
        return {}
    found = [_taken(number) for number in range(FIRST, FIRST + int(count))]
    return {address_of(one): one for one in found}


def _taken(number: int) -> socket.socket:
    try:
        one = socket.socket(fileno=number)
    except OSError as error:
        raise BadInput(f"socket {number} that was handed over cannot be used: {error}") from None
    os.set_inheritable(number, False)
    if one.family in (socket.AF_INET, socket.AF_INET6):
        # Accepted connections inherit it. asyncio sets it itself, but not on a socket that was
        # made with protocol 0: then each reply waits 40 ms for the other side.
        one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    one.setblocking(False)
    return one


def address_of(one: socket.socket) -> str:
    """`host:port`, `[v6]:port` or `unix:/path`."""
    name = one.getsockname()
    if one.family == socket.AF_UNIX:
        return f"unix:{name}"
    host, port = name[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
