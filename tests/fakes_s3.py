"""A hand-written bucket that speaks as much of S3's HTTP as the gateway uses: PUT, GET, HEAD,
DELETE and ListObjectsV2, path-style and unsigned. It can be away, slow, or out of sorts.
"""

import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

BUCKET = "post"


class FakeS3:
    """One bucket on loopback; `with` starts and ends it."""

    def __init__(self) -> None:
        """Empty, and in good health."""
        self.objects: dict[str, tuple[bytes, datetime]] = {}
        self.trouble = ""  # "", "503", "403", "silent"
        self.asked: list[str] = []
        self.after_put: Callable[[], object] = lambda: None  # stored, and not answered yet
        self.mended = threading.Event()  # a silent bucket waits for this
        self._server: ThreadingHTTPServer | None = None
        self.port = 0

    @property
    def environment(self) -> dict[str, str]:
        """What the gateway's process is told of it."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}",
            "AWS_ALLOW_HTTP": "true",
            "AWS_SKIP_SIGNATURE": "true",
            "AWS_REGION": "test-1",
        }

    @property
    def url(self) -> str:
        """As the configuration names it."""
        return f"s3://{BUCKET}/mail"

    def __enter__(self) -> "FakeS3":
        fake = self

        class Handler(_Handler):
            bucket = fake

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.mended.set()
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    def names(self) -> set[str]:
        """Last parts of the keys."""
        return {key.rpartition("/")[2] for key in self.objects}

    def age(self, moment: datetime) -> None:
        """Everything was put then."""
        self.objects = {key: (content, moment) for key, (content, _) in self.objects.items()}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that gave up is nothing to speak of."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    bucket: FakeS3

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed."""

    def setup(self) -> None:
        super().setup()
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _key(self) -> str:
        self.bucket.asked.append(f"{self.command} {self.path}")
        path = unquote(urlsplit(self.path).path)
        return path.removeprefix(f"/{BUCKET}").lstrip("/")

    def _troubled(self) -> bool:
        trouble = self.bucket.trouble
        if trouble == "silent":
            self.bucket.mended.wait(30)
        if trouble in ("503", "403"):
            self._answer(int(trouble), b"<Error><Code>Trouble</Code></Error>")
        return bool(trouble) and trouble != "silent"

    def _answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_PUT(self) -> None:
        key, size = self._key(), int(self.headers["Content-Length"])
        content = self.rfile.read(size)
        if not self._troubled():
            self.bucket.objects[key] = (content, datetime.now(UTC))
            self.bucket.after_put()
            self._answer(200, ETag='"1"')

    def do_GET(self) -> None:
        key = self._key()
        if self._troubled():
            return
        if not key:
            self._answer(200, self._listing())
        elif (found := self.bucket.objects.get(key)) is None:
            self._answer(404, b"<Error><Code>NoSuchKey</Code></Error>")
        else:
            content, at = found
            self._answer(200, content, ETag='"1"', Last_Modified=format_datetime(at, usegmt=True))

    def do_HEAD(self) -> None:
        key = self._key()
        if self._troubled():
            return
        found = self.bucket.objects.get(key)
        if found is None:
            self._answer(404)
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(found[0])))
        self.send_header("ETag", '"1"')
        self.send_header("Last-Modified", format_datetime(found[1], usegmt=True))
        self.end_headers()

    def do_DELETE(self) -> None:
        key = self._key()
        if not self._troubled():
            self.bucket.objects.pop(key, None)
            self._answer(204)

    def do_POST(self) -> None:
        """DeleteObjects."""
        self._key()
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        if self._troubled():
            return
        gone = [part.partition("</Key>")[0] for part in body.split("<Key>")[1:]]
        for key in gone:
            self.bucket.objects.pop(key, None)
        told = "".join(f"<Deleted><Key>{escape(key)}</Key></Deleted>" for key in gone)
        self._answer(200, f"<DeleteResult>{told}</DeleteResult>".encode())

    def _listing(self) -> bytes:
        prefix = parse_qs(urlsplit(self.path).query).get("prefix", [""])[0]
        rows = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>{at:%Y-%m-%dT%H:%M:%S.000Z}"
            f"</LastModified><ETag>1</ETag><Size>{len(content)}</Size></Contents>"
            for key, (content, at) in sorted(self.bucket.objects.items())
            if key.startswith(prefix)
        )
        return (
            '<?xml version="1.0"?><ListBucketResult><IsTruncated>false</IsTruncated>'
            f"{rows}</ListBucketResult>"
        ).encode()
