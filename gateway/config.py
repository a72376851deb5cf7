"""One TOML file, one set of models: each key's default, unit and meaning stand here alone.

`config.example.toml` and `docs/config.md` are generated from it. Secrets come from files.
"""

import ipaddress
import re
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from gateway import toml
from gateway.core.model.event import KINDS
from gateway.core.read import addresses
from gateway.errors import BadInput

USUAL = Path("portiere.toml")  # in the current folder, where no file is named
SHIPPED = Path("shipped:")  # stands for the folder that comes with the program


class Section(BaseModel):
    """Base of all sections: unknown keys are errors, values do not change after the start."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Database(Section):
    """Where everything is kept. The database is the spool, too."""

    url: str = Field(
        "sqlite:///var/portiere.db",
        description="`sqlite:///path` (embedded) or `postgresql://user@host/name`.",
    )

    @field_validator("url")
    @classmethod
    def _known(cls, value: str) -> str:
        if not re.match(r"(?:sqlite|postgresql(?:\+psycopg)?)://", value):
            raise ValueError("a database is `sqlite:///path` or `postgresql://user@host/name`")
        return value


class ListenerConfig(Section):
    """One door for mail."""

    address: str = Field(
        "127.0.0.1:2525", description="`host:port`, `[v6]:port`, or `unix:/path` (LMTP)."
    )
    protocol: Literal["smtp", "lmtp"] = Field("smtp", description="`smtp` or `lmtp`.")
    role: Literal["edge", "relay"] = Field(
        "edge", description="`edge`: the Internet itself; `relay`: our own mail servers."
    )
    tls: Literal["none", "starttls", "required", "implicit"] = Field(
        "none",
        description="`none`, `starttls` (offered), `required` (before MAIL), or `implicit`.",
    )
    certificate: Path | None = Field(None, description="PEM file with the certificate chain.")
    key: Path | None = Field(None, description="PEM file with the private key, mode 0600.")

    @field_validator("address")
    @classmethod
    def _host_and_port(cls, value: str) -> str:
        host, colon, port = value.rpartition(":")
        if value.startswith("unix:/"):
            return value
        if not colon or not host or not port.isascii() or not port.isdigit() or int(port) > 65535:
            raise ValueError(f"`{value}` is not `host:port` or `unix:/path`")
        return value

    @model_validator(mode="after")
    def _certificate_for_tls(self) -> "ListenerConfig":
        if self.tls != "none" and not (self.certificate and self.key):
            raise ValueError("tls needs `certificate` and `key`")
        return self


class Support(Section):
    """Who we are to the customer."""

    name: str = Field("Support", description="Shown in From of what we send.")
    addresses: tuple[str, ...] = Field(
        ("support@host.example",),
        description="Our addresses; the first is the sender of what we send.",
    )
    domain: str = Field("host.example", description="The domain of Message-IDs and return paths.")
    own_domains: tuple[str, ...] = Field(
        (), description="More domains that are ours: nobody outside may use them in From."
    )
    languages: tuple[str, ...] = Field(
        ("it", "en"), description="Languages of replies; the first is the default."
    )
    panel_url: str = Field(
        "https://panel.host.example/", description="The control panel, named in replies."
    )
    articles_url: str | None = Field(
        None, description="Where public articles can be read; the slug is appended."
    )

    @field_validator("addresses", "languages")
    @classmethod
    def _not_empty(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("needs at least one entry")
        return value

    @field_validator("addresses")
    @classmethod
    def _are_addresses(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for text in value:
            if addresses.parse(text) is None:
                raise ValueError(f"`{text}` is not an address")
        return value


class Smarthost(Section):
    """Where our own mail goes out."""

    host: str = Field("127.0.0.1", description="Name or address.")
    port: int = Field(25, ge=1, le=65535, description="Port.")
    starttls: Literal["required", "opportunistic", "never", "implicit"] = Field(
        "opportunistic",
        description="`required`, `opportunistic`, `never`, or `implicit` (TLS at once).",
    )
    username: str | None = Field(None, description="For AUTH.")
    password_file: Path | None = Field(None, description="File that holds the password.")
    connections: int = Field(4, ge=1, le=100, description="Deliveries at the same time.")
    give_up_after_hours: int = Field(120, ge=1, description="Then a row is failed, and shown.")


class Dns(Section):
    """One resolver for all look-ups."""

    servers: tuple[str, ...] = Field((), description="Addresses; empty is the system's own.")
    zone: Path | None = Field(
        None, description="A JSON zone instead of DNS; only when every listener is on loopback."
    )
    deadline_seconds: float = Field(8.0, gt=0, description="For all look-ups of one mail.")
    max_queries: int = Field(60, ge=10, description="Look-ups of one mail.")


class Relay(Section):
    """A mail server of ours that relays to us, and how it says who its client was."""

    networks: tuple[str, ...] = Field(..., description="Addresses or networks of the relay.")
    method: Literal["proxy", "xforward", "xclient", "received", "none"] = Field(
        ...,
        description="`proxy` (v1, v2), `xforward`, `xclient`, `received` (upwards), or `none`.",
    )
    normalise_lf: bool = Field(False, description="Take a bare LF from it as CRLF.")
    authserv_id: str | None = Field(
        None, description="Count its Authentication-Results under this id (off by default)."
    )
    vouches: bool = Field(
        False, description="It is our submission server, and its logins own their From."
    )

    @field_validator("networks")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value:
            raise ValueError("a trusted relay names no network")
        for text in _networks(value):
            network = ipaddress.ip_network(text)
            if network.prefixlen < (8 if network.version == 4 else 16):
                raise ValueError(
                    f"`{network}` is too wide: everybody in it could choose his client address"
                )
        return value

    @model_validator(mode="after")
    def _writes_received(self) -> "Relay":
        """A load balancer adds no field: whatever stands above Received, the sender wrote."""
        method = self.method
        if method in ("proxy", "xclient") and self.authserv_id:
            raise ValueError(f"`authserv_id` needs a mail server, not a relay by `{method}`")
        if method in ("proxy", "xclient") and self.vouches:
            raise ValueError(f"`vouches` needs a submission server, not a relay by `{method}`")
        return self


def _networks(value: tuple[str, ...]) -> tuple[str, ...]:
    for network in value:
        ipaddress.ip_network(network)
    return value


class Proof(Section):
    """What counts as a proof of the author (sender authentication)."""

    dkim_engine: Literal["native", "dkimpy"] = Field("native", description="The verifier.")
    min_rsa_bits: int = Field(1024, ge=1024, le=4096, description="Shorter keys prove nothing.")
    own_signers: tuple[str, ...] = Field(
        (), description="Our d= that sign tenants' mail: at most `medium`."
    )
    weak_signers: tuple[str, ...] = Field(
        (), description="Other hosts that sign for every tenant: at most `medium`."
    )
    wide_pools: tuple[str, ...] = Field(
        ("spf.protection.outlook.com",),
        description="Providers whose SPF networks may be wider than /16 (IPv6 /32).",
    )
    own_shared_outbound: tuple[str, ...] = Field(
        (), description="Our own pool that all tenants share: its SPF pass proves nothing."
    )
    pec_providers: Path | None = Field(
        None, description="PEM list of PEC providers whose wrappers name the letter's author."
    )
    defer_hours: float = Field(4.0, ge=0, le=48, description="How long we say 451 to temperror.")

    @field_validator("own_shared_outbound")
    @classmethod
    def _pool(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return _networks(value)


class Paths(Section):
    """Where the tables, texts and articles lie. Relative to the configuration file."""

    policies: Path = Field(
        SHIPPED, description="Rules, routing, phrases; without it the shipped ones."
    )
    templates: Path = Field(
        SHIPPED, description="Texts of our own mail; without it the shipped ones."
    )
    knowledge: Path = Field(SHIPPED, description="Public articles; without it the shipped ones.")
    blobs: Path | str = Field(
        Path("var/blobs"),
        description="Raw mail and attachments over 64 KB: a directory, or `s3://bucket/prefix`.",
    )
    secrets: Path = Field(
        Path("var/secrets.json"), description="Token keys; made at first start, mode 0600."
    )
    control: Path = Field(Path("var/control.sock"), description="Socket for commands.")

    @field_validator("blobs")
    @classmethod
    def _place(cls, value: Path | str) -> Path | str:
        if "://" not in str(value):
            return Path(value)
        if re.fullmatch(r"s3://(?![a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/|$)).*", str(value)):
            raise ValueError("blobs are in a directory, or at `s3://bucket/prefix`")
        return value

    @property
    def disk(self) -> Path:
        """A place on the disk that must have room for large mail."""
        return self.blobs if isinstance(self.blobs, Path) else self.control.parent


class Http(Section):
    """Health and metrics."""

    address: str = Field("127.0.0.1:8025", description="`host:port`, or empty for none.")


class Log(Section):
    """What is logged, and how."""

    level: Literal["debug", "info", "warning", "error"] = Field("info", description="Least level.")
    format: Literal["json", "console"] = Field("json", description="`json` or `console`.")
    addresses: Literal["full", "domain", "hash"] = Field(
        "domain", description="How addresses appear: `full`, `domain` (a***@b.example) or `hash`."
    )


class LimitsConfig(Section):
    """Bounds of one session and one mail; docs/limits.md says which attack each stops."""

    message_bytes: int = Field(
        36_700_160, ge=65_536, le=268_435_456, description="25 MiB and its base64."
    )
    header_bytes: int = Field(262_144, ge=16_384, description="The whole header.")
    header_fields: int = Field(500, ge=50, description="Fields of a mail.")
    recipients: int = Field(100, ge=1, description="RCPT of a mail; then 452.")
    errors: int = Field(10, ge=1, description="Bad commands of a session; then 421.")
    other_commands: int = Field(50, ge=5, description="NOOP, RSET, VRFY … of a session.")
    mails: int = Field(100, ge=1, description="Mails of a connection.")
    relay_mails: int = Field(1_000, ge=1, description="Mails of a relay's connection.")
    connections: int = Field(1_000, ge=1, description="At the same time.")
    connections_per_address: int = Field(20, ge=1, description="Relays are exempt.")
    command_bytes: int = Field(2_048, ge=512, description="Length of a command line.")
    command_seconds: float = Field(300.0, gt=0, description="Waiting for a command.")
    data_seconds: float = Field(600.0, gt=0, description="For the whole of DATA.")
    data_bytes_per_second: int = Field(500, ge=1, description="Slower than this is cut.")
    session_seconds: float = Field(1_800.0, gt=0, description="For a whole session.")
    received_fields: int = Field(50, ge=10, description="Hops; then 554 5.4.6.")
    error_delay_seconds: float = Field(1.0, ge=0, description="From the third error on.")
    busy_share: float = Field(0.7, gt=0, le=1, description="Of the connections: then in a hurry.")
    busy_command_seconds: float = Field(10.0, gt=0, description="Waiting when in a hurry.")
    data_grace_seconds: float = Field(30.0, ge=0, description="Before the rate is judged.")
    decide_seconds: float = Field(300.0, gt=0, description="Then 451, while the commit goes on.")
    greet_pause_seconds: float = Field(
        0.0, ge=0, description="Wait before the banner; who talks earlier is cut. 0.2 suits an MX."
    )
    memory_bytes: int = Field(
        100_663_296,
        ge=1_048_576,
        description="Of mails over 256 KiB until they are committed, all together.",
    )
    memory_bytes_per_address: int = Field(
        50_331_648, ge=1_048_576, description="Of that, for one address; relays are exempt."
    )
    mime_depth: int = Field(20, ge=5, le=50, description="Parts in parts; deeper stays whole.")
    mime_parts: int = Field(500, ge=50, le=5_000, description="Parts of a mail that are opened.")
    mime_decoded_bytes: int = Field(
        67_108_864, ge=1_048_576, le=268_435_456, description="Of all parts, once decoded."
    )
    report_bytes: int = Field(
        65_536, ge=8_192, le=1_048_576, description="Of one delivery report, or returned header."
    )
    disk_factor: float = Field(
        1.5, ge=1, description="Free disk, in message sizes; below it 452 4.3.1."
    )


class WebhookConfig(Section):
    """A program that follows tickets: it is sent each event, signed (docs/webhooks.md)."""

    url: str = Field(..., description="`https://host/path`; `http` to loopback only.")
    secret_file: Path = Field(
        ..., description="File with the secret; a second line holds the one before it."
    )
    events: tuple[str, ...] = Field((), description="Kinds of events; empty is all.")
    authorities: Path | None = Field(
        None, description="PEM file of who may vouch for its certificate; else the system's."
    )
    give_up_after_hours: int = Field(72, ge=1, description="Then a delivery is failed, and shown.")
    timeout_seconds: float = Field(15.0, gt=0, le=120, description="For one delivery.")

    @field_validator("events")
    @classmethod
    def _kinds(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for kind in value:
            if kind not in KINDS:
                raise ValueError(f"`{kind}` is no event; there are {', '.join(KINDS)}")
        return value


class Retention(Section):
    """After how many days a kind of data is erased; 0 keeps it."""

    raw_mail_days: int = Field(0, ge=0, description="Raw mail of closed tickets.")
    parked_days: int = Field(14, ge=1, description="Parked mail that nobody released.")
    record_days: int = Field(90, ge=0, description="Automatic mail.")
    event_days: int = Field(90, ge=0, description="Events, and what followers were told.")
    sent_days: int = Field(0, ge=0, description="Our own mail, of closed tickets or of none.")


class Config(Section):
    """The whole configuration."""

    mode: Literal["live", "observe"] = Field(
        "live", description="`observe` decides and writes, and sends nothing."
    )
    host_name: str = Field("portiere.host.example", description="Our name in SMTP.")
    fronts: int = Field(
        1, ge=1, le=64, description="Processes that take mail on the same ports; 1 is one alone."
    )
    database: Database = Database()
    listener: tuple[ListenerConfig, ...] = (ListenerConfig(),)
    support: Support = Support()
    smarthost: Smarthost = Smarthost()
    dns: Dns = Dns()
    trusted_relays: tuple[Relay, ...] = ()
    proof: Proof = Proof()
    paths: Paths = Paths()
    http: Http = Http()
    log: Log = Log()
    limits: LimitsConfig = LimitsConfig()
    retention: Retention = Retention()
    webhook: tuple[WebhookConfig, ...] = ()

    @field_validator("webhook")
    @classmethod
    def _each_once(cls, value: tuple[WebhookConfig, ...]) -> tuple[WebhookConfig, ...]:
        if len({one.url for one in value}) < len(value):
            raise ValueError("two [[webhook]] have the same `url`")
        return value

    @model_validator(mode="after")
    def _zone_only_on_loopback(self) -> "Config":
        if self.dns.zone and not all(on_loopback(each.address) for each in self.listener):
            raise ValueError("`dns.zone` is allowed only when every listener is on loopback")
        return self

    @property
    def disks(self) -> tuple[Path, ...]:
        """Every place that must have room for mail: of large ones, and of an embedded database."""
        url = self.database.url
        embedded = (Path(url.removeprefix("sqlite:///")).parent,) if "sqlite:///" in url else ()
        return (self.paths.disk, *embedded)

    @field_validator("listener")
    @classmethod
    def _at_least_one(cls, value: tuple[ListenerConfig, ...]) -> tuple[ListenerConfig, ...]:
        if not value:
            raise ValueError("needs at least one [[listener]]")
        return value


def on_loopback(address: str) -> bool:
    """Whether a listener's address can be reached from this machine alone."""
    if address.startswith("unix:"):
        return True
    host = address.rpartition(":")[0].strip("[]")
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def load(path: Path | None) -> Config:
    """Read and check a configuration file.

    Without one, `portiere.toml` of the current folder; without that, the defaults.

    Relative paths are resolved against the file's folder. Errors: `BadInput` with file, line and
    column, and the nearest known key.
    """
    if path is None and not USUAL.is_file():
        return resolve(Config(), Path.cwd())
    path = path or USUAL
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BadInput(f"cannot read the configuration: {error.strerror}", str(path)) from None
    except UnicodeDecodeError:
        raise BadInput("the configuration is not UTF-8", str(path)) from None
    return resolve(parse(text, str(path)), path.resolve().parent)


def parse(text: str, source: str) -> Config:
    """Check the text of a configuration file; `source` names it in errors."""
    document = toml.parse(text, source)
    try:
        return Config.model_validate(document.data)
    except ValidationError as error:
        raise _located(document, error) from None


def _located(document: toml.Document, error: ValidationError) -> BadInput:
    first = error.errors()[0]
    path = tuple(first["loc"])
    if first["type"] == "extra_forbidden":
        known = _keys_at(path[:-1])
        return document.error(
            path,
            f"unknown key `{path[-1]}`",
            part="key",
            hint=toml.did_you_mean(str(path[-1]), known),
        )
    if first["type"] == "missing":
        return document.error(path[:-1], f"key `{path[-1]}` is missing")
    message = str(first["msg"]).removeprefix("Value error, ")
    message = message[:1].lower() + message[1:]
    named = f"`{'.'.join(map(str, path))}`: {message}" if path else message
    return document.error(path, named)


def _keys_at(path: tuple[str | int, ...]) -> tuple[str, ...]:
    model: Any = Config
    for part in path:
        if isinstance(part, int):
            continue
        annotation = model.model_fields[part].annotation
        model = _model_in(annotation)
    return tuple(model.model_fields)


def _model_in(annotation: Any) -> Any:
    for candidate in (annotation, *getattr(annotation, "__args__", ())):
        if isinstance(candidate, type) and issubclass(candidate, Section):
            return candidate
    raise TypeError(f"no section in {annotation}")


def resolve(config: Config, base: Path) -> Config:
    """The same configuration with every relative path made absolute against `base`."""
    paths = {
        name: shipped(name) if value == SHIPPED else _absolute(base, value)
        for name, value in config.paths
    }
    updates: dict[str, Any] = {"paths": config.paths.model_copy(update=paths)}
    if config.dns.zone:
        updates["dns"] = config.dns.model_copy(update={"zone": base / config.dns.zone})
    if config.smarthost.password_file:
        secret = {"password_file": base / config.smarthost.password_file}
        updates["smarthost"] = config.smarthost.model_copy(update=secret)
    if config.proof.pec_providers:
        listed = {"pec_providers": base / config.proof.pec_providers}
        updates["proof"] = config.proof.model_copy(update=listed)
    updates["listener"] = tuple(_listener(each, base) for each in config.listener)
    updates["webhook"] = tuple(_webhook(each, base) for each in config.webhook)
    url = config.database.url
    if url.startswith("sqlite:///") and not url.startswith("sqlite:////"):
        absolute = base / url.removeprefix("sqlite:///")
        updates["database"] = Database(url=f"sqlite:///{absolute}")
    return config.model_copy(update=updates)


def _absolute(base: Path, value: Path | str) -> Path | str:
    return value if isinstance(value, str) else base / value


def shipped(folder: str) -> Path:
    """The folder of this name that comes with the program: in a clone, or inside the package."""
    package = Path(__file__).resolve().parent
    inside = package / "shipped" / folder
    return inside if inside.is_dir() else package.parent / folder


def _webhook(webhook: WebhookConfig, base: Path) -> WebhookConfig:
    files = {"secret_file": base / webhook.secret_file}
    if webhook.authorities:
        files["authorities"] = base / webhook.authorities
    return webhook.model_copy(update=files)


def _listener(listener: ListenerConfig, base: Path) -> ListenerConfig:
    files = {
        name: base / value
        for name in ("certificate", "key")
        if (value := getattr(listener, name)) is not None
    }
    return listener.model_copy(update=files)
