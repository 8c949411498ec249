"""New certificates are taken up, and such as cannot be are tried again."""

import ssl
from pathlib import Path
from unittest import mock

from jobengine.access.issuing import issue_ca, issue_server
from jobengine.errors import ConfigurationWrong
from jobengine.settings.doors import TlsSettings
from jobengine.upkeep import certificates
from jobengine.upkeep.certificates import CertificateWatch


async def test_a_set_that_could_not_be_taken_is_taken_once_it_can_be(tmp_path: Path) -> None:
    cert, key = tmp_path / "server.crt", tmp_path / "server.key"
    ca = issue_ca("a small house")
    first, second = issue_server(ca, ["localhost"]), issue_server(ca, ["localhost"])
    cert.write_bytes(first.cert)
    key.write_bytes(first.key)
    taken: list[ssl.SSLContext] = []

    async def take(context: ssl.SSLContext) -> None:
        taken.append(context)

    watch = CertificateWatch(TlsSettings(cert=str(cert), key=str(key)), section="tls", replace=take)
    await watch.look()
    assert taken == []
    cert.write_bytes(second.cert)
    key.write_bytes(second.key)
    with mock.patch.object(certificates, "tls_context", side_effect=ConfigurationWrong("it cannot be read")):
        await watch.look()
        await watch.look()
    assert taken == []
    await watch.look()  # nothing has changed since
    await watch.look()
    assert len(taken) == 1
