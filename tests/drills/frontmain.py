"""The gateway of several processes that the drill of fronts kills.

`250-early` switches off its one safeguard: a front then answers before the office has.
"""

import asyncio
import sys
from pathlib import Path

from gateway import config as configuration
from gateway import log
from gateway.core.model import Committed, Effects
from gateway.core.read import language
from gateway.errors import Temporary
from gateway.front import Front
from gateway.fronts import Fronts


async def _early(front: Front, effects: Effects) -> Committed:
    line = front._line
    if line is None:
        raise Temporary("the office is away")
    await asyncio.sleep(0)
    answer = line.ask("commit", effects)
    answer.add_done_callback(lambda done: done.cancelled() or done.exception())
    return Committed(effects.mail.id)


def main(config: str, unsafe: str = "") -> int:
    """Run it until SIGTERM."""
    if unsafe:
        Front._commit = _early  # type: ignore[method-assign]  # the safeguard
    loaded = configuration.load(Path(config))
    log.configure(loaded.log.level, loaded.log.format, loaded.log.addresses)
    language.warm()
    return Fronts(loaded, lambda line: print(line, flush=True)).run()


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:3]))
