"""Certificates and signatures of S/MIME for tests: authorities, mailboxes, detached and opaque."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime(2026, 11, 22, 13, 0, tzinfo=UTC)
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class Holder:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def pem(self) -> bytes:
        """The certificate alone, as a file holds it."""
        return self.certificate.public_bytes(Encoding.PEM)


@cache
def key(number: int = 0, bits: int = 2048) -> Key:
    """A key for each number: making one takes a while. No bits is one on a curve."""
    if bits == 0:
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(65537, bits)


def authority(name: str = "PEC CA", number: int = 0, by: Holder | None = None) -> Holder:
    """A certification authority, self-signed or under another."""
    return _issued(name, key(number), by, ca=True)


def mailbox(
    address: str | None,
    by: Holder | None,
    holder_key: Key | None = None,
    begins: datetime = NOW - timedelta(days=100),
    usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.EMAIL_PROTECTION,
) -> Holder:
    """The certificate of a mailbox, valid for a year from `begins`."""
    return _issued("mailbox", holder_key or key(1), by, False, address, begins, usage)


def _issued(
    name: str,
    holder_key: Key,
    by: Holder | None,
    ca: bool,
    address: str | None = None,
    begins: datetime = NOW - timedelta(days=100),
    usage: x509.ObjectIdentifier = ExtendedKeyUsageOID.EMAIL_PROTECTION,
) -> Holder:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by.certificate.subject if by else subject)
        .public_key(holder_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=365))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    )
    if not ca:
        made = made.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    if address:
        names = x509.SubjectAlternativeName([x509.RFC822Name(address)])
        made = made.add_extension(names, critical=False)
    return Holder(made.sign(by.key if by else holder_key, hashes.SHA256()), holder_key)


def signature(
    content: bytes,
    holder: Holder,
    *others: Holder,
    detached: bool = True,
    attributes: bool = True,
    digest: pkcs7.PKCS7HashTypes | None = None,
) -> bytes:
    """SignedData in DER over exactly these bytes."""
    builder = pkcs7.PKCS7SignatureBuilder().set_data(content)
    builder = builder.add_signer(holder.certificate, holder.key, digest or hashes.SHA256())
    for other in others:
        builder = builder.add_certificate(other.certificate)
    options = [pkcs7.PKCS7Options.Binary]
    if detached:
        options.append(pkcs7.PKCS7Options.DetachedSignature)
    if not attributes:
        options.append(pkcs7.PKCS7Options.NoAttributes)
    return builder.sign(Encoding.DER, options)
