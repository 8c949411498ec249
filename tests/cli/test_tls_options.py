"""`--ca --cert --key`: whoever asks is the service of the certificate."""

import json
from pathlib import Path

from jobengine.access.issuing import issue_ca, issue_client, issue_server
from tests.cli.broker import Terminal
from tests.support.server import ServerProcess

QUEUES = {"mail": {"read": ["website"], "write": ["website"]}}


def test_a_command_asks_with_the_certificate_that_it_is_given(tmp_path: Path) -> None:
    authority = issue_ca("authority")
    for name, issued in (
        ("ca", authority),
        ("server", issue_server(authority, ["127.0.0.1"])),
        ("website", issue_client(authority, "website")),
    ):
        (tmp_path / f"{name}.crt").write_bytes(issued.cert)
        (tmp_path / f"{name}.key").write_bytes(issued.key)
    named = {"cert": "server.crt", "key": "server.key", "client_ca": "ca.crt"}
    tls = {**{each: str(tmp_path / file) for each, file in named.items()}, "require_client_cert": True}
    with ServerProcess(tmp_path, {"tls": tls, "queues": QUEUES}) as server:
        terminal = Terminal(server, tmp_path)
        url = f"https://127.0.0.1:{server.port}"
        files = [f"--ca={tmp_path}/ca.crt", f"--cert={tmp_path}/website.crt", f"--key={tmp_path}/website.key"]
        asked = ("job", "create", "mail", "1", "-o", "json", "--url", url)
        done = terminal.type(*asked, *files, name="")
        assert (done.returncode, json.loads(done.stdout)["queue"]) == (0, "mail"), done
        refused = terminal.type(*asked, files[0], name="website")
        assert (refused.returncode != 0, b"Traceback" in refused.stderr) == (True, False)
