"""Certificates for tests: an authority, and what it and others sign."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from ipaddress import ip_address

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from cryptography.x509.oid import NameOID
from twisted.internet.ssl import PrivateCertificate

DAY = timedelta(days=1)


class Authority:
    """Signs certificates.

    :ivar pem: its own, which is what others trust.
    """

    def __init__(self, name="authority.example"):
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name(name)
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        builder = _builder(self._name, self._name, self._key, 0)
        certificate = builder.add_extension(constraints, critical=True).sign(self._key, SHA256())
        self.pem = certificate.public_bytes(Encoding.PEM)

    def options(self, *hosts, days=0):
        """What a server with a certificate for some hosts is made of.

        :param days: how long ago it was made; it is valid for two days.
        """
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name("127.0.0.1"), self._name, key, days)
        if hosts:
            builder = builder.add_extension(_alternatives(hosts), critical=False)
        certificate = builder.sign(self._key, SHA256())
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        both = PrivateCertificate.loadPEM(certificate.public_bytes(Encoding.PEM) + secret)
        return both.options()


def _name(common):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _builder(subject, issuer, key, days):
    now = datetime.now(timezone.utc) - days * DAY
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
    )


def _alternatives(hosts):
    return x509.SubjectAlternativeName([_alternative(host) for host in hosts])


def _alternative(host):
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        return x509.DNSName(host)
