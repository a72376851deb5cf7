"""The file of accounts: JSONL, or CSV without services; every row is checked before the first is
used.
"""

import ipaddress
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.core.read.addresses import parse
from gateway.errors import BadInput
from gateway.store import files

_COLUMNS = {
    "account": str,
    "name": str,
    "language": str,
    "state": str,
    "primary": str,
    "secondary": list,
}
_KEYS = (*_COLUMNS, "services")
_SERVICE_KEYS = ("name", "kind", "order", "ip")
_LANGUAGE = re.compile(r"[a-z]{2,3}")


@dataclass(frozen=True, slots=True)
class AddressRow:
    """An address as a file gives it."""

    address: str
    key: str
    kinds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ServiceRow:
    """A service as a file gives it; addresses are canonical."""

    name: str
    kind: str | None = None
    order: str | None = None
    ips: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AccountRow:
    """A checked row. `services` is None where the file does not speak of them: they stay."""

    line: int
    number: str
    name: str
    language: str | None
    state: str
    primary: AddressRow
    secondary: tuple[AddressRow, ...] = ()
    services: tuple[ServiceRow, ...] | None = None


def nobodys(_address: str) -> bool:
    """No address is ours: for those who have checked, or whose desk has none."""
    return False


def load_file(path: Path, ours: Callable[[str], bool] = nobodys) -> list[AccountRow]:
    """The rows of a `.csv` or JSONL file; BadInput names every wrong line.

    `ours` tells of an address's key whether it is the desk's own: no customer can have it.
    """

    def build(line: int, row: Mapping[str, Any]) -> AccountRow:
        return _foreign(_account(line, row), ours)

    return files.rows_of(path, build, lambda row: row.number, _COLUMNS)


def _foreign(row: AccountRow, ours: Callable[[str], bool]) -> AccountRow:
    for one in (row.primary, *row.secondary):
        foreign(one, ours)
    return row


def foreign(one: AddressRow, ours: Callable[[str], bool]) -> AddressRow:
    """The address itself; BadInput when it is the desk's own: our mail would come back to us."""
    if ours(one.key):
        raise BadInput(f"`{one.address}` is an address of this desk, and no customer's")
    return one


def _account(line: int, row: Mapping[str, Any]) -> AccountRow:
    files.known_keys(row, _KEYS)
    primary = address_row(row.get("primary"), "primary")
    secondary = tuple(address_row(item, "secondary") for item in files.items(row, "secondary"))
    keys = [primary.key, *(one.key for one in secondary)]
    twice = next((key for key in keys if keys.count(key) > 1), None)
    if twice:
        raise BadInput(f"address `{twice}` stands twice")
    language = files.text_or_none(row, "language")
    if language is not None and not _LANGUAGE.fullmatch(language):
        raise BadInput(f"`language` is `{language}`", hint="write `it`, `en`, …")
    services = row.get("services")
    return AccountRow(
        line=line,
        number=_plain(files.text(row, "account"), "account"),
        name=files.text(row, "name", default=""),
        language=language,
        state=files.one_of(row, "state", ("active", "suspended"), "active"),
        primary=primary,
        secondary=secondary,
        services=None if services is None else _services(files.items(row, "services")),
    )


def _plain(value: str, key: str) -> str:
    if not value.isprintable() or value != value.strip():
        raise BadInput(f"`{key}` holds characters that cannot be printed, or outer blanks")
    return value


def address_row(value: object, key: str) -> AddressRow:
    """An address, alone or with its kinds; BadInput when it is none."""
    kinds: list[Any] = []
    if isinstance(value, Mapping):
        files.known_keys(value, ("address", "kinds"))
        kinds = files.items(value, "kinds")
        value = value.get("address")
    if value in (None, ""):
        raise BadInput(f"`{key}` is missing")
    parsed = parse(value) if isinstance(value, str) else None
    if parsed is None:
        raise BadInput(f"`{key}`: `{value}` is no address")
    if not all(isinstance(kind, str) and kind for kind in kinds):
        raise BadInput(f"`kinds` of `{parsed}` is not a list of words")
    return AddressRow(str(parsed), parsed.key, tuple(dict.fromkeys(kinds)))


def _services(given: list[Any]) -> tuple[ServiceRow, ...]:
    services = []
    for item in given:
        if not isinstance(item, Mapping):
            raise BadInput("`services` is not a list of objects")
        files.known_keys(item, _SERVICE_KEYS)
        services.append(
            ServiceRow(
                name=_plain(files.text(item, "name"), "name"),
                kind=files.text_or_none(item, "kind"),
                order=_order(files.text_or_none(item, "order")),
                ips=tuple(dict.fromkeys(_ip(ip) for ip in files.items(item, "ip"))),
            )
        )
    names = [one.name.lower() for one in services]
    if len(set(names)) != len(names):
        raise BadInput("two services have the same name")
    return tuple(services)


def _order(value: str | None) -> str | None:
    return None if value is None else value.strip().lstrip("#") or None


def _ip(value: object) -> str:
    try:
        return str(ipaddress.ip_address(str(value).strip()))
    except ValueError:
        raise BadInput(f"`ip`: `{value}` is no IP address") from None
