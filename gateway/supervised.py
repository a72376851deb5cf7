"""What a service manager that started us wants to hear (sd_notify(3)).

Nothing is said where nobody asked; a manager that does not listen holds nobody up.
"""

import contextlib
import os
import socket
import time


def notify(state: str) -> None:
    """One datagram to $NOTIFY_SOCKET."""
    address = os.environ.get("NOTIFY_SOCKET")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line, contextlib.suppress(OSError):
        line.setblocking(False)
        line.connect(f"\0{address[1:]}" if address.startswith("@") else address)
        line.sendall(state.encode())


def reloading() -> str:
    """A reload begins; `READY=1` says that it is over (Type=notify-reload wants the moment)."""
    return f"RELOADING=1\nMONOTONIC_USEC={time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000}"


def watchdog_seconds() -> float | None:
    """How often `WATCHDOG=1` is to be said: at half of $WATCHDOG_USEC; None is never."""
    asked, pid = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID")
    if not asked.isdigit() or int(asked) == 0 or pid not in (None, str(os.getpid())):
        return None
    return int(asked) / 2_000_000
