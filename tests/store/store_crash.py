"""A process that commits mails and says so, to be killed: `store_crash.py URL BLOBS`."""

import sys
from itertools import count

from store_values import mail_row, new_ticket, opening

from gateway.core.model import Effects
from gateway.store.blobs import INLINE
from gateway.store.engine import Store
from gateway.store.writer import Writer


def main(url: str, blobs: str) -> None:
    """One line for each mail, after its commit and not before."""
    with Writer(Store.open(url, blobs)) as writer:
        for n in count():
            effects = opening(f"m{n}", f"{100000 + n}")
            if n % 5 == 0:
                raw = b"x" * (INLINE + n + 1)
                row = mail_row(f"m{n}", raw=raw)
                effects = Effects(row, tickets=(new_ticket(f"{100000 + n}"),))
            writer.commit(effects).result()
            sys.stdout.write(f"m{n}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
