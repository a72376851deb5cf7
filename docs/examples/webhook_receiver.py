"""A follower of Portiere's webhooks, with nothing but the standard library.

It verifies the signature, keeps each event once however often it is delivered, and answers 204
only when the event is on the disk. Put your own work where `handle` stands, in the same
transaction as the id: then an event that comes twice has its effect once.

    python webhook_receiver.py --secret-file webhook.secret --database events.db --port 8099
"""

import argparse
import hashlib
import hmac
import json
import sqlite3
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

TOLERANCE = 300  # seconds between the signature's clock and ours: older ones may be replayed
LONGEST = 1_000_000  # bytes of a body


def verified(header: str, body: bytes, secrets: list[bytes], now: float) -> bool:
    """Whether one of our secrets has signed this body, not long ago."""
    fields = [part.partition("=") for part in header.split(",")]
    times = [value for name, _, value in fields if name == "t"]
    signatures = [value for name, _, value in fields if name == "v1"]
    if len(times) != 1 or not (times[0].isascii() and times[0].isdigit()):
        return False
    if abs(now - int(times[0])) > TOLERANCE:
        return False
    signed = times[0].encode() + b"." + body
    found = False
    for secret in secrets:
        expected = hmac.new(secret, signed, hashlib.sha256).hexdigest().encode()
        for given in signatures:  # each in constant time, and all of them
            found |= hmac.compare_digest(expected, given.encode())
    return found


def handle(database: sqlite3.Connection, event: dict[str, Any]) -> None:
    """Your own work: here the last state of each ticket is kept."""
    ticket = event.get("ticket")
    if ticket:
        database.execute(
            "INSERT INTO tickets VALUES (?, ?, ?, ?)"
            " ON CONFLICT (number) DO UPDATE SET state = excluded.state, at = excluded.at",
            (ticket["number"], ticket["account"], ticket["state"], event["at"]),
        )


def keep(database: sqlite3.Connection, event: dict[str, Any], body: bytes) -> bool:
    """The event and its effect in one transaction. False when it had come before."""
    with database:
        added = database.execute(
            "INSERT OR IGNORE INTO events VALUES (?, ?, ?)",
            (event["id"], event["kind"], body.decode()),
        )
        if added.rowcount:
            handle(database, event)
        return added.rowcount == 1


class Receiver(BaseHTTPRequestHandler):
    """POST alone; whatever is not ours is answered 4xx and forgotten."""

    server: "Server"
    timeout = 30

    def do_POST(self) -> None:
        """One delivery."""
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or int(length) > LONGEST:
            return self.answer(413)
        body = self.rfile.read(int(length))
        header = self.headers.get("Portiere-Signature", "")
        if not verified(header, body, self.server.secrets, time.time()):
            return self.answer(401)
        with sqlite3.connect(self.server.database) as database:
            new = keep(database, json.loads(body), body)
        database.close()
        print("new" if new else "again", self.headers.get("Portiere-Event"), flush=True)
        return self.answer(204)

    def answer(self, status: int) -> None:
        """No body: nobody reads it."""
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing: `do_POST` says what came."""


class Server(ThreadingHTTPServer):
    """Knows the secrets and the database."""

    def __init__(self, port: int, secret_file: Path, database: Path) -> None:
        lines = secret_file.read_bytes().split(b"\n")
        self.secrets = [line.strip() for line in lines if line.strip()]
        self.database = database
        with sqlite3.connect(database) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS events (id TEXT PRIMARY KEY, kind TEXT, body TEXT)"
            )
            connection.execute(
                "CREATE TABLE IF NOT EXISTS tickets"
                " (number TEXT PRIMARY KEY, account TEXT, state TEXT, at TEXT)"
            )
        connection.close()
        super().__init__(("127.0.0.1", port), Receiver)


def main() -> None:
    """Serve until it is ended; put it behind a server that speaks TLS."""
    parser = argparse.ArgumentParser(description="An example of a follower.")
    parser.add_argument("--secret-file", type=Path, required=True)
    parser.add_argument("--database", type=Path, required=True)
    parser.add_argument("--port", type=int, default=8099)
    given = parser.parse_args()
    server = Server(given.port, given.secret_file, given.database)
    print(f"listening on http://127.0.0.1:{server.server_address[1]}/", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
