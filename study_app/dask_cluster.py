"""Connections to a Dask scheduler, over TLS where its address begins with `tls://`.

A scheduler at a `tcp://` address takes work from everybody who reaches it and sends programs in the clear; with TLS
both sides show a certificate of the same authority. Dask reads the paths of the certificates from the environment.
"""

from __future__ import annotations

import ssl
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from study_app.domain.errors import UserError

CONNECT_SECONDS = 10

_VARIABLES = {
    "tls_ca_file": "DASK_DISTRIBUTED__COMM__TLS__CA_FILE",
    "tls_client_cert": "DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT",
    "tls_client_key": "DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY",
}


def names_cluster(address: str) -> bool:
    """Return whether a setting is the address of a Dask scheduler."""
    return address.startswith(("tcp://", "tls://"))


def leaves_this_machine_in_the_clear(address: str) -> bool:
    """Return whether programs travel to another machine without TLS."""
    if not address.startswith("tcp://"):
        return False
    host = urlsplit(address).hostname or ""
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return host != "localhost"


def dask_client(address: str, setting: str) -> Any:
    """Return a client of the scheduler at an address, to be closed by the caller.

    Args:
        address: `tcp://HOST:PORT` or `tls://HOST:PORT`.
        setting: what a person wrote the address in; it begins each message.

    Raises:
        UserError: Dask is not installed, or the certificates cannot be used.
        OSError: no scheduler answers, or it does not take the certificate.
    """
    try:
        from distributed import Client
        from distributed.security import Security
    except ImportError:
        remedy = "install it by pip install 'study-app[cluster]'"
        raise UserError(f"{setting}: {address} needs the extra 'cluster', which is not installed; {remedy}") from None
    security = Security()
    if address.startswith("tls://"):
        _require_certificates(security, setting)
    elif security.require_encryption:
        # Dask would raise a RuntimeError.
        raise UserError(
            f"{setting}: {address} is without TLS, which DASK_DISTRIBUTED__COMM__REQUIRE_ENCRYPTION asks for; give tls://"
        )
    return Client(address, timeout=CONNECT_SECONDS, set_as_default=False, security=security)


def _require_certificates(security: Any, setting: str) -> None:
    """Refuse what Dask would report as a connection that fails."""
    paths = {}
    for name, variable in _VARIABLES.items():
        path = getattr(security, name)
        if not path:
            raise UserError(f"{setting}: {variable} is not set, which tls:// needs; give the path of a PEM file")
        try:
            Path(path).read_bytes()
        except OSError as problem:
            reason = problem.strerror or type(problem).__name__
            raise UserError(f"{setting}: {variable}: {path} cannot be read ({reason}); correct the path") from None
        paths[name] = path
    try:
        context = ssl.create_default_context(cafile=paths["tls_ca_file"])
    except ssl.SSLError:
        raise UserError(
            f"{setting}: {_VARIABLES['tls_ca_file']}: {paths['tls_ca_file']} holds no certificate; give a PEM file"
        ) from None
    try:
        context.load_cert_chain(paths["tls_client_cert"], paths["tls_client_key"])
    except ssl.SSLError:
        cert, key = paths["tls_client_cert"], paths["tls_client_key"]
        raise UserError(
            f"{setting}: {_VARIABLES['tls_client_cert']} and {_VARIABLES['tls_client_key']}: {cert} and {key}"
            " do not belong together; give a certificate and its key, each as a PEM file"
        ) from None
