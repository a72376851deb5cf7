"""What a long drill has seen so far, a line each in a file of its own, so that it may be stopped
at any time and go on later.
"""

from collections import Counter
from pathlib import Path

from drills.audit import ident_of
from drills.senders import Heard, Post
from fakes_smarthost import Sink, Taken


class Ledger:
    """The file: `t` a mail that was tried, `a` one that heard 250, `x` one that was refused, `o`
    one that arrived at the smarthost, `k` a kill, `r` a run.
    """

    def __init__(self, path: Path) -> None:
        """What an earlier run has written is read."""
        self.heard = Heard(accepted=_Noted(self, "a"), tried=_Noted(self, "t"))
        self.arrived: Counter[str] = Counter()
        self.kills: Counter[str] = Counter()
        self.runs = 0
        self._file = None
        if path.exists():
            for line in path.read_text().splitlines():
                self._read(*line.split(" "))
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", buffering=1)

    def write(self, kind: str, *words: str) -> None:
        """One line; it is there when this returns."""
        if self._file is not None:
            self._file.write(" ".join((kind, *words)) + "\n")

    def run(self) -> int:
        """One more run begins; its number."""
        self.runs += 1
        self.write("r")
        return self.runs

    def killed(self, point: str) -> None:
        """One more kill."""
        self.kills[point] += 1
        self.write("k", point)

    def came(self, ident: str) -> None:
        """One more mail at the smarthost."""
        self.arrived[ident] += 1
        self.write("o", ident)

    def close(self) -> None:
        """Nothing more is written."""
        if self._file is not None:
            self._file.close()

    def _read(self, kind: str, *words: str) -> None:
        if kind == "t" and len(words) == 4:
            ident, what, ticket, digest = words
            post = Post(ident, what, "", "", b"", ticket.strip("-") or None, digest.strip("-"))
            self.heard.tried[ident] = post
        elif kind == "a" and words[0] in self.heard.tried:
            self.heard.accepted[words[0]] = self.heard.tried[words[0]]
        elif kind == "o":
            self.arrived[words[0]] += 1
        elif kind == "k":
            self.kills[words[0]] += 1
        elif kind == "r":
            self.runs += 1


class _Noted(dict[str, Post]):
    """Posts by Message-ID, each written down; their bytes are not kept."""

    def __init__(self, ledger: Ledger, kind: str) -> None:
        super().__init__()
        self._ledger = ledger
        self._kind = kind

    def __setitem__(self, ident: str, post: Post) -> None:
        kept = Post(ident, post.kind, "", "", b"", post.ticket, post.digest)
        super().__setitem__(ident, kept)
        more = (post.kind, post.ticket or "-", post.digest or "-") if self._kind == "t" else ()
        self._ledger.write(self._kind, ident, *more)


class Receiver(Sink):
    """A smarthost that keeps Message-IDs alone."""

    def __init__(self, port: int, ledger: Ledger) -> None:
        super().__init__(port=port)
        self._ledger = ledger

    def take(self, mail: Taken) -> None:
        """Write down what came."""
        self._ledger.came(ident_of(mail.raw))
