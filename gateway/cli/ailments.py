"""What `portiere doctor` looks at, one thing a function: what it found, and what to do.

Nothing is written or sent. A check that cannot be made says so; it never raises.
"""

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from sqlalchemy import func, select, text

from gateway import control, service
from gateway.authenticate.resolver import TIMEOUT, Answer, Resolver
from gateway.config import Config, ListenerConfig
from gateway.errors import PortiereError
from gateway.house import Rooms
from gateway.store import schema
from gateway.store.columns import moment

DNS_SECONDS = 5.0
EXPIRES_SOON = timedelta(days=14)
AHEAD = timedelta(minutes=2)  # a stored mail or another machine's clock may be so far from ours
BUILT = datetime(2026, 1, 1, tzinfo=UTC)  # a clock before this was never set
_GOOD, _WEAK, _BAD = "ok", "note", "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `do` says what to do where it is not `ok`."""

    thing: str
    state: str  # ok | note | wrong
    said: str
    do: str = ""


def good(thing: str, said: str) -> Finding:
    """All is well."""
    return Finding(thing, _GOOD, said)


def weak(thing: str, said: str, do: str) -> Finding:
    """It works, and could be better."""
    return Finding(thing, _WEAK, said, do)


def bad(thing: str, said: str, do: str) -> Finding:
    """It keeps the gateway from its work."""
    return Finding(thing, _BAD, said, do)


async def examine(config: Config) -> AsyncIterator[Finding]:
    """Everything, in the order in which it should be mended."""
    try:
        rooms = Rooms.open(config, read_only=True)
        rooms.house()
        service.checked(config)
    except PortiereError as error:
        yield bad("configuration", str(error), "mend it; `portiere config check` says the same")
        return
    try:
        yield good("configuration", "read, with everything that it names")
        yield _policy(rooms)
        for finding in _database(rooms):
            yield finding
        yield _disk(config)
        for finding in _certificates(config):
            yield finding
        async for finding in _names(config, rooms.resolver()):
            yield finding
        yield await _smarthost(config)
        yield _daemon(config)
    finally:
        rooms.close()


def _policy(rooms: Rooms) -> Finding:
    loaded = rooms.standing.loaded
    return good(
        "policy", f"proved sound, {len(loaded.policy.rules)} rules, {loaded.policy.digest[:12]}"
    )


def _database(rooms: Rooms) -> Iterator[Finding]:
    """It answers; and no mail comes from the future."""
    do = "start the database, or mend `database.url`; then `portiere db upgrade`"
    try:
        with rooms.store.reading() as connection:
            mails = connection.execute(select(func.count()).select_from(schema.mails)).scalar_one()
            latest = connection.execute(select(func.max(schema.mails.c.received_at))).scalar()
            theirs, weaknesses = None, rooms.store.weaknesses()
            if not rooms.store.sqlite:
                theirs = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
    except PortiereError as error:
        yield bad("database", str(error), do)
        return
    yield good("database", f"answers; it holds {mails:,} mails")
    for weakness in weaknesses:
        yield weak("database", weakness, "mend the server's settings")
    yield _clock(None if latest is None else moment(latest), theirs)


def _clock(latest: datetime | None, theirs: datetime | None) -> Finding:
    """DKIM, tokens and caps rest on the clock."""
    now, do = datetime.now(UTC), "set the clock by NTP, and look at the time zone of the machine"
    said = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    if now < BUILT:
        return bad("clock", f"{said} is before this program was made", do)
    if latest is not None and latest > now + AHEAD:
        return bad("clock", f"{said} is before the last mail, of {latest:%Y-%m-%d %H:%M:%S}", do)
    if theirs is not None and abs(theirs - now) > AHEAD:
        return bad("clock", f"{said}; the database says {theirs:%Y-%m-%d %H:%M:%S %Z}", do)
    return good("clock", said)


def _existing(place: Path) -> Path:
    while not place.exists() and place != place.parent:
        place = place.parent
    return place


def _disk(config: Config) -> Finding:
    place = min(map(_existing, config.disks), key=lambda each: shutil.disk_usage(each).free)
    free = shutil.disk_usage(place).free
    least = int(config.limits.message_bytes * config.limits.disk_factor)
    said = f"{free // 1_048_576:,} MiB free at `{place}`"
    if free < least:
        return bad("disk", said, f"free {least // 1_048_576:,} MiB; below it mail is deferred")
    if not os.access(place, os.W_OK):
        return bad("disk", f"`{place}` cannot be written", "give it to the gateway's user")
    return good("disk", said)


def _certificates(config: Config) -> Iterator[Finding]:
    listening = [one for one in config.listener if one.tls != "none"]
    for settings in listening:
        yield _certificate(settings, config.host_name)
    if not listening and any(not _inside(one) for one in config.listener):
        do = 'set `tls = "starttls"` with `certificate` and `key` on the listener'
        yield weak("certificate", "no listener speaks TLS", do)


def _inside(settings: ListenerConfig) -> bool:
    return settings.address.startswith(("unix:", "127.", "[::1]", "localhost"))


def _certificate(settings: ListenerConfig, host: str) -> Finding:
    thing = f"certificate of {settings.address}"
    try:
        read = x509.load_pem_x509_certificate(Path(settings.certificate or "").read_bytes())
        names = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        named = names.get_values_for_type(x509.DNSName)
    except (OSError, ValueError, x509.ExtensionNotFound) as error:
        return bad(thing, f"cannot be read: {error}", "renew it")
    ends, now = read.not_valid_after_utc, datetime.now(UTC)
    said = f"for {', '.join(named)}, until {ends:%Y-%m-%d}"
    if ends < now + EXPIRES_SOON:
        return bad(thing, said, "renew it; the gateway takes the new one by itself")
    if read.not_valid_before_utc > now:
        return bad(thing, f"{said}, and not valid yet", "look at the clock, or renew it")
    wild = "*." + host.partition(".")[2]
    if host not in named and wild not in named:
        return weak(thing, said, f"it does not name `host_name`, {host}")
    return good(thing, said)


async def _names(config: Config, resolver: Resolver) -> AsyncIterator[Finding]:
    """Whether DNS answers, and what it says of our own domain."""
    domain = config.support.domain.lower()
    asked = await _asked(resolver, domain, "MX")
    if asked.failed:
        do = "look at `dns.servers`, or at /etc/resolv.conf; without DNS every mail is deferred"
        yield bad("dns", f"no answer for `{domain}`: {asked.status.value}", do)
        return
    where = config.dns.zone or ", ".join(config.dns.servers) or "the system's servers"
    yield good("dns", f"answers, by {where}")
    if asked.void:
        do = f"publish MX for `{domain}`: return paths and replies come back there"
        yield weak(f"mx of {domain}", "no mail server is named", do)
    for name, begins, do in (
        (domain, "v=spf1", "publish an SPF record that names the smarthost"),
        (f"_dmarc.{domain}", "v=DMARC1", "publish `v=DMARC1; p=reject` once our mail is signed"),
    ):
        yield await _published(resolver, name, begins, do)


async def _published(resolver: Resolver, name: str, begins: str, do: str) -> Finding:
    answer = await _asked(resolver, name, "TXT")
    texts = [one.decode("latin-1") for one in answer.records if isinstance(one, bytes)]
    found = [one for one in texts if one.lower().startswith(begins.lower())]
    if len(found) == 1:
        return good(f"{begins} of {name}", found[0])
    said = answer.status.value if answer.failed else f"{len(found)} records"
    return weak(f"{begins} of {name}", said, do)


async def _asked(resolver: Resolver, name: str, rtype: str) -> Answer:
    try:
        return await asyncio.wait_for(resolver.query(name, rtype), DNS_SECONDS)
    except TimeoutError:
        return TIMEOUT


async def _smarthost(config: Config) -> Finding:
    where = f"{config.smarthost.host}:{config.smarthost.port}"
    trouble = await service.smarthost_trouble(config)
    if trouble:
        do = "look at `[smarthost]`: host, port, starttls, username, password_file"
        return bad("smarthost", f"{where}: {trouble}", f"{do}; mail waits in the outbox meanwhile")
    return good("smarthost", f"{where} takes our mail")


def _daemon(config: Config) -> Finding:
    """Whether it runs, and what it says of itself."""
    if not control.running(config.paths.control):
        return weak("daemon", "none runs here", "start it by `portiere serve`")
    try:
        status = control.call(config.paths.control, "status")
    except (PortiereError, OSError) as error:
        return bad("daemon", f"it does not answer: {error}", "restart it")
    if troubles := status.get("troubles"):
        return bad("daemon", f"it says: {troubles}", "see /readyz and the log")
    return good("daemon", f"runs, policy {status.get('policy')}")
