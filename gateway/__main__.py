"""The door for people: `portiere COMMAND` and `python -m gateway`."""

import sys


def main() -> None:
    """Run one command; an error of the input is one message, escaped, and exit status 1."""
    from gateway.cli.app import app
    from gateway.cli.output import visible
    from gateway.errors import PortiereError

    try:
        app(prog_name="portiere")
    except PortiereError as error:
        sys.stderr.write(f"portiere: {visible(error)}\n")
        sys.exit(1)
    except BrokenPipeError:
        sys.exit(1)


if __name__ == "__main__":
    main()
