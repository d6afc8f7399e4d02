"""TLS to a server that proves who it is; every doubt ends the handshake.

Twisted's own policy logs a certificate that names no host at all, and accepts it
for every host.  Here every fault rejects the certificate, before anything of a request
was sent, with one line that says why.
"""

# ruff: noqa: N802 - the camelCase names are those of Twisted's interfaces
from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cryptography.x509 import load_pem_x509_certificates
from OpenSSL import SSL
from OpenSSL.crypto import X509
from service_identity import CertificateError, VerificationError
from service_identity.hazmat import DNS_ID, IPAddress_ID, verify_service_identity
from service_identity.pyopenssl import extract_patterns
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import (
    Certificate,
    optionsForClientTLS,
    platformTrust,
    trustRootFromCertificates,
)
from twisted.python.failure import Failure
from twisted.web.iweb import IPolicyForHTTPS
from zope.interface import implementer

from chatter.client.errors import UntrustedServer

if TYPE_CHECKING:
    from twisted.protocols.tls import TLSMemoryBIOProtocol

_UNKNOWN_AUTHORITY = "The certificate of {} is not from a known authority."

_PROBLEMS = {
    2: _UNKNOWN_AUTHORITY,
    7: _UNKNOWN_AUTHORITY,
    9: "The certificate of {} is not valid yet.",
    10: "The certificate of {} has expired.",
    18: _UNKNOWN_AUTHORITY,
    19: _UNKNOWN_AUTHORITY,
    20: _UNKNOWN_AUTHORITY,
    21: _UNKNOWN_AUTHORITY,
}
"""By the number of OpenSSL's ``X509_V_ERR_…``."""

_NO_TLS = ("wrong version number", "packet length too long", "http request", "unknown protocol")
_ABRUPT_END = "unexpected eof while reading"


@implementer(IPolicyForHTTPS)
class StrictPolicy:
    """Which servers are trusted.

    :param ca: a file of certificates in PEM: the authorities that are trusted.  Without
        it, those of the system, or of the file in ``SSL_CERT_FILE``.
    :raises ValueError: if the file has no certificates.
    :raises OSError: if it can't be read.
    """

    def __init__(self, ca: str | Path | None = None) -> None:
        self._trust_root = platformTrust() if ca is None else _authorities(Path(ca))

    def creatorForNetloc(self, hostname: bytes, port: int) -> _ConnectionCreator:  # noqa: ARG002
        """What makes the TLS connections to a host."""
        host = hostname.decode("ascii")
        return _ConnectionCreator(host, optionsForClientTLS(host, self._trust_root))


@implementer(IOpenSSLClientConnectionCreator)
class _ConnectionCreator:
    """Makes connections that accept only a certificate for one host."""

    def __init__(self, host: str, options: IOpenSSLClientConnectionCreator) -> None:
        self._host = host
        self._options = options

    def clientConnectionForTLS(self, tlsProtocol: TLSMemoryBIOProtocol) -> SSL.Connection:  # noqa: N803
        connection = self._options.clientConnectionForTLS(tlsProtocol)

        def verify(_: SSL.Connection, certificate: X509, number: int, depth: int, ok: int) -> bool:
            # Never raises: OpenSSL would go on as if nothing had been found.
            problem = _problem(certificate, number, depth, bool(ok), self._host)
            if problem is None:
                return True
            tlsProtocol.failVerification(Failure(UntrustedServer(problem)))
            return False

        # This replaces Twisted's callback.
        connection.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, verify)
        return connection


def _problem(certificate: X509, number: int, depth: int, ok: bool, host: str) -> str | None:
    """What is wrong with a certificate of the chain; ``None`` if nothing is."""
    if not ok:
        other = f"The certificate of {{}} is not valid (OpenSSL's error {number})."
        return _PROBLEMS.get(number, other).format(host)
    if depth:
        return None
    try:
        verify_service_identity(extract_patterns(certificate), [_id_of(host)], [])
    except VerificationError:
        return f"The certificate is not for {host}, but for another host."
    except CertificateError:
        return f"The certificate of {host} names no host (it has no valid subjectAltName)."
    except Exception:  # noqa: BLE001 - a certificate that can't be read proves nothing
        return f"The certificate of {host} can't be read."
    return None


def _id_of(host: str) -> DNS_ID | IPAddress_ID:
    try:
        ip_address(host)
    except ValueError:
        return DNS_ID(host)
    return IPAddress_ID(host)


def _authorities(path: Path) -> Any:
    try:
        certificates = load_pem_x509_certificates(path.read_bytes())
    except ValueError:
        raise ValueError(f"{path} has no certificates in PEM.") from None
    return trustRootFromCertificates(
        [Certificate(X509.from_cryptography(certificate)) for certificate in certificates]
    )


def error_of_tls(error: SSL.Error, url: str) -> UntrustedServer | None:
    """The error for a handshake that can't succeed; ``None`` if the connection broke."""
    reasons = [str(part[-1]) for part in error.args[0]] if _has_reasons(error) else []
    if not reasons or _ABRUPT_END in reasons:
        return None
    if any(reason in _NO_TLS for reason in reasons):
        return UntrustedServer(f"{url} does not speak TLS; is it an http URL?")
    return UntrustedServer(f"There is no TLS connection to {url}: {', '.join(reasons)}.")


def _has_reasons(error: SSL.Error) -> bool:
    return bool(error.args) and isinstance(error.args[0], list)
