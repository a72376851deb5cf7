"""The door for people: `portiere COMMAND` and `python -m gateway`."""

import gc
import sys

# While the program is being loaded nearly nothing becomes garbage: looking for it took a sixth of
# the start. The daemon sets its own numbers when it is ready.
LOADING = (1_000_000, 20, 100)


def main() -> None:
    """Run one command; an error of the input is one message, escaped, and exit status 1."""
    gc.set_threshold(*LOADING)
    from gateway.cli.app import app
    from gateway.errors import PortiereError

    try:
        app(prog_name="portiere")
    except PortiereError as error:
        from gateway.cli.output import visible

        sys.stderr.write(f"portiere: {visible(error)}\n")
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(1)


if __name__ == "__main__":
    main()
