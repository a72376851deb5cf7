"""A zone of test domains that answers instead of DNS (`--zone`, `[dns] zone`), without network."""

import json
from collections.abc import Mapping

from gateway.authenticate.lookup import (
    NODATA,
    NXDOMAIN,
    SERVFAIL,
    TYPES,
    Answer,
    Record,
    Status,
)
from gateway.errors import BadInput

CNAME_CHAIN = 8  # aliases followed; a longer chain is a failure


class ZoneResolver:
    """Answers from a zone of test domains. A name that is absent does not exist.

    Any text may be a name here, as the RFC 7208 suite wants it; on the network only plain labels.
    """

    def __init__(self, zone: Mapping[str, Mapping[str, object]]) -> None:
        self._names: dict[str, dict[str, Answer]] = {}
        self._otherwise: dict[str, Answer] = {}
        for name, content in zone.items():
            plain = name.lower().removesuffix(".")
            self._names[plain], self._otherwise[plain] = _zone_entry(name, content)

    def peek(self, name: str, rtype: str) -> Answer | None:
        """A zone knows every answer at once."""
        return self._find(name.lower().removesuffix("."), rtype)

    async def query(self, name: str, rtype: str) -> Answer:
        """The zone's answer, aliases followed."""
        return self.peek(name, rtype) or NXDOMAIN

    def _find(self, name: str, rtype: str) -> Answer:
        for _ in range(CNAME_CHAIN + 1):
            entry = self._names.get(name)
            if entry is None:
                return NXDOMAIN
            alias = entry.get("CNAME")
            if rtype in entry or alias is None:
                return entry.get(rtype, self._otherwise[name])
            name = alias.names()[0].lower()
        return SERVFAIL


def read_zone(source: str | Mapping[str, object]) -> ZoneResolver:
    """A zone from JSON text or from the object itself; `BadInput` says what is wrong with it."""
    if isinstance(source, str):
        try:
            source = json.loads(source)
        except ValueError as error:
            raise BadInput(f"the zone is not JSON: {error}") from None
    if not isinstance(source, Mapping):
        raise BadInput("a zone must be an object of names")
    zone: dict[str, Mapping[str, object]] = {}
    for name, content in source.items():
        if not isinstance(content, Mapping):
            raise BadInput(f"`{name}` in the zone must be an object of record types")
        zone[str(name)] = content
    return ZoneResolver(zone)


def _zone_entry(name: str, content: Mapping[str, object]) -> tuple[dict[str, Answer], Answer]:
    entry: dict[str, Answer] = {}
    otherwise = NODATA
    for key, value in content.items():
        if key == "status":
            if value not in ("servfail", "timeout"):
                raise BadInput(f"`status` of `{name}` in the zone must be `servfail` or `timeout`")
            otherwise = Answer(Status(str(value)))
        elif key.upper() in TYPES:
            values = value if isinstance(value, list | tuple) else [value]
            records = tuple(_zone_record(name, key.upper(), item) for item in values)
            if records:
                entry[key.upper()] = Answer(Status.OK, records, 300)
        elif not key.isalnum():
            raise BadInput(f"`{key}` of `{name}` in the zone is no record type")
    return entry, otherwise


def _zone_record(name: str, rtype: str, value: object) -> Record:
    match value:
        case str() if rtype == "TXT":
            try:
                return value.encode("latin-1")
            except UnicodeEncodeError:
                raise BadInput(f"TXT of `{name}` in the zone must be bytes as latin-1") from None
        case [int() as preference, str() as host] if rtype == "MX":
            return (preference, host.lower().removesuffix("."))
        case str() if rtype in ("PTR", "CNAME"):
            return value.lower().removesuffix(".")
        case str() if rtype in ("A", "AAAA"):
            return value
    raise BadInput(f"{rtype} of `{name}` in the zone cannot be read: `{value!r}`")
