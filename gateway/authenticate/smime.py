"""Detached S/MIME signatures (RFC 8551, RFC 5652) against a list of trusted certificates.

The one question asked here: did the mailbox sign exactly these bytes? The system's certificate
store is never asked, and no network: trust is the list that ops keep, and nothing else.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.authenticate import signeddata
from gateway.authenticate.signeddata import SignedData, Signer
from gateway.errors import BadInput

_DEEPEST = 4  # issuers between a mailbox and a trusted certificate
_MIN_RSA_BITS = 2048
_DIGESTS = {
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
_HASHES: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "sha256": hashes.SHA256,
    "sha384": hashes.SHA384,
    "sha512": hashes.SHA512,
}
# RFC 8551 2.2, RFC 5754: the algorithm of the signature, and the digest that it names if it does.
_RSA = {
    "1.2.840.113549.1.1.1": None,
    "1.2.840.113549.1.1.11": "sha256",
    "1.2.840.113549.1.1.12": "sha384",
    "1.2.840.113549.1.1.13": "sha512",
}
_RSA_PSS = "1.2.840.113549.1.1.10"
_ECDSA = {
    "1.2.840.10045.4.3.2": "sha256",
    "1.2.840.10045.4.3.3": "sha384",
    "1.2.840.10045.4.3.4": "sha512",
}


Extension = TypeVar("Extension", bound=x509.ExtensionType)


@dataclass(frozen=True, slots=True)
class Trust:
    """Certificates that are believed: of authorities, or of the signers themselves."""

    certificates: tuple[x509.Certificate, ...] = ()


class _Refused(Exception):
    """Why a signature proves nothing."""


def trust(pem: bytes, name: str) -> Trust:
    """The certificates of a PEM file; `BadInput` names the file where it holds none."""
    try:
        return Trust(tuple(x509.load_pem_x509_certificates(pem)))
    except ValueError as error:
        raise BadInput(f"no list of PEM certificates: {error}", name) from None


def problem(
    content: bytes, signature: bytes, mailbox: str, believed: Trust, now: datetime
) -> str | None:
    """None where `mailbox` signed exactly `content`; else a sentence that says what is wrong.

    `now` is aware; revocation is not looked up, since no network is asked: whoever loses its
    standing is taken off the list.
    """
    try:
        _check(content, signature, mailbox.lower(), believed, now)
    except _Refused as refused:
        return str(refused)
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.DuplicateExtension) as error:
        # Certificates are parsed as they are asked, and these came from the sender.
        return f"a certificate cannot be read: {error}"
    return None


def _check(content: bytes, encoded: bytes, mailbox: str, believed: Trust, now: datetime) -> None:
    signed = signeddata.signed_data(encoded)
    if signed is None or len(signed.signers) != 1:
        raise _Refused("it holds no signed data of one signer")
    if signed.content is not None:
        raise _Refused("the signature brings its own content")
    signer = signed.signers[0]
    others = _certificates(signed)
    leaf = _of(signer, others)
    _same_content(signer, content)
    _same_signature(signer, leaf.public_key())
    _for_mail(leaf, mailbox)
    _chained(leaf, others, believed, now)


def _certificates(signed: SignedData) -> tuple[x509.Certificate, ...]:
    found = []
    for encoded in signed.certificates:
        try:
            found.append(x509.load_der_x509_certificate(encoded))
        except ValueError:
            continue  # attribute certificates and the like
    return tuple(found)


def _of(signer: Signer, certificates: tuple[x509.Certificate, ...]) -> x509.Certificate:
    for one in certificates:
        same = one.serial_number == signer.serial
        if same and signer.issuer == one.issuer.public_bytes():
            return one
    raise _Refused("the signer's certificate did not come with it")


def _same_content(signer: Signer, content: bytes) -> None:
    """RFC 5652 5.4, 11: the signed attributes say what was signed, and its digest."""
    name = _DIGESTS.get(signer.digest)
    if name is None:
        raise _Refused(f"the digest {signer.digest} is not believed")
    if signer.attributes is None or signer.content_type != signeddata.DATA:
        raise _Refused("it does not say under the signature that it covers a mail")
    if signer.message_digest != hashlib.new(name, content).digest():
        raise _Refused("the content was changed since it was signed")


def _same_signature(signer: Signer, key: object) -> None:
    name = _DIGESTS[signer.digest]
    digest = _HASHES[name]()
    covered = signer.attributes or b""
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signer.signature, covered, _padding(signer, name, digest, key), digest)
        elif isinstance(key, ec.EllipticCurvePublicKey) and _ECDSA.get(signer.algorithm) == name:
            key.verify(signer.signature, covered, ec.ECDSA(digest))
        else:
            raise _Refused(f"the algorithm {signer.algorithm} does not fit the key")
    except InvalidSignature:
        raise _Refused("the signature does not verify") from None


def _padding(
    signer: Signer, name: str, digest: hashes.HashAlgorithm, key: rsa.RSAPublicKey
) -> padding.AsymmetricPadding:
    if key.key_size < _MIN_RSA_BITS:
        raise _Refused(f"the signer's key has {key.key_size} bits")
    if signer.algorithm == _RSA_PSS:
        return padding.PSS(padding.MGF1(digest), padding.PSS.AUTO)
    if _RSA.get(signer.algorithm, "") not in (None, name):
        raise _Refused(f"the algorithm {signer.algorithm} does not fit the key")
    return padding.PKCS1v15()


def _for_mail(leaf: x509.Certificate, mailbox: str) -> None:
    """RFC 8550 3, 4.4: made for mail, and for this mailbox."""
    if mailbox not in _mailboxes(leaf):
        raise _Refused(f"the certificate does not name {mailbox}")
    usage = _extension(leaf, x509.ExtendedKeyUsage)
    fit = (ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE)
    if usage is not None and not any(one in usage for one in fit):
        raise _Refused("the certificate is not made for mail")
    keys = _extension(leaf, x509.KeyUsage)
    if keys is not None and not (keys.digital_signature or keys.content_commitment):
        raise _Refused("the certificate's key is not made for signatures")


def _mailboxes(leaf: x509.Certificate) -> frozenset[str]:
    named = [a.value for a in leaf.subject.get_attributes_for_oid(x509.NameOID.EMAIL_ADDRESS)]
    others = _extension(leaf, x509.SubjectAlternativeName)
    mailboxes = [] if others is None else others.get_values_for_type(x509.RFC822Name)
    return frozenset(str(value).lower() for value in (*named, *mailboxes))


def _extension(certificate: x509.Certificate, kind: type[Extension]) -> Extension | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _chained(
    leaf: x509.Certificate,
    others: tuple[x509.Certificate, ...],
    believed: Trust,
    now: datetime,
) -> None:
    """Up to a certificate of the list: by itself or by what came with the signature."""
    listed = {one.public_bytes(Encoding.DER) for one in believed.certificates}
    one = leaf
    for _ in range(_DEEPEST + 1):
        if not one.not_valid_before_utc <= now <= one.not_valid_after_utc:
            raise _Refused("a certificate of the chain is not valid at this time")
        if one.public_bytes(Encoding.DER) in listed:
            return
        one = _issuer(one, (*believed.certificates, *others))
    raise _Refused("the chain of certificates is too long")


def _issuer(
    certificate: x509.Certificate, among: tuple[x509.Certificate, ...]
) -> x509.Certificate:
    for one in among:
        if one.subject != certificate.issuer or not _is_authority(one) or one == certificate:
            continue
        try:
            certificate.verify_directly_issued_by(one)
        except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
            continue
        return one
    raise _Refused("no certificate of the list stands behind it")


def _is_authority(certificate: x509.Certificate) -> bool:
    basic = _extension(certificate, x509.BasicConstraints)
    keys = _extension(certificate, x509.KeyUsage)
    return basic is not None and basic.ca and (keys is None or keys.key_cert_sign)
