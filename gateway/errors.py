"""What can go wrong, by what the other side must be told: later, never, or nothing because it is
our own fault."""


class PortiereError(Exception):
    """An error with a sentence for people: lower case, no full stop, input in backticks, and what
    to do."""


class Temporary(PortiereError):
    """The same thing may succeed later: 4xx to the sender, a retry for us."""


class Permanent(PortiereError):
    """It will never succeed as it is: 5xx to the sender, a failed row for us."""


class Defect(PortiereError):
    """A fault of our own code: the mail is kept raw with the error, and nothing is said of it
    outside."""


class BadInput(PortiereError):
    """What a person wrote is wrong; `where` is `file:line:column` or as much of it as is known."""

    def __init__(self, message: str, where: str = "", hint: str = "") -> None:
        """`hint` is printed on its own line, such as a caret or `did you mean`."""
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        head = f"{self.where}: {self.message}" if self.where else self.message
        return f"{head}\n{self.hint}" if self.hint else head
