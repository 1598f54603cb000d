"""Baselines over https and ssh, from Git's own server, which runs here: certificates and credentials."""

from __future__ import annotations

import base64
import os
import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from tests.required import absent
from tests.trust.test_baselines import base, change, git  # noqa: F401 - a fixture
from tests.world import World

PASSWORD = "canary-of-the-helper"


class Backend(BaseHTTPRequestHandler):
    """Serves repositories by `git http-backend`, to whoever knows the password."""

    root: ClassVar[Path]
    refused: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def _serve(self) -> None:
        given = base64.b64decode((self.headers.get("Authorization") or "").partition(" ")[2]).decode()
        if given != f"ci:{PASSWORD}":
            self.refused.append(self.path)
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="git"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        environ = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(self.root),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory",
            "GIT_CONFIG_VALUE_0": "*",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "REQUEST_METHOD": self.command,
            "CONTENT_TYPE": self.headers.get("Content-Type") or "",
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding") or "",
            "GIT_PROTOCOL": self.headers.get("Git-Protocol") or "",
        }
        ran = subprocess.run(["git", "http-backend"], input=body, env=environ, capture_output=True, check=False)
        head, _, rest = ran.stdout.partition(b"\r\n\r\n")
        fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n") if ": " in line)
        self.send_response(int(fields.pop("Status", "200").split()[0]))
        for name, value in fields.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        self.wfile.write(rest)


@pytest.fixture
def https(base: Path, world: World, tmp_path: Path) -> Iterator[str]:  # noqa: F811 - a fixture
    """A server over https whose certificate is signed by nobody that the machine knows, and a helper that signs in."""
    if shutil.which("openssl") is None:
        absent("there is no openssl to make a certificate")
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    made = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-keyout",
        str(key),
        "-out",
        str(certificate),
    ]
    subprocess.run(["openssl", *made, *names], check=True, capture_output=True)
    helper = tmp_path / "askpass"
    helper.write_text(f'#!/bin/sh\ncase "$1" in User*) echo ci ;; *) echo {PASSWORD} ;; esac\n', "utf-8")
    helper.chmod(0o755)
    Backend.root, Backend.refused[:] = base.parent, []
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with ThreadingHTTPServer(("127.0.0.1", 0), Backend) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        world.environ |= {"GIT_SSL_CAINFO": str(certificate), "GIT_ASKPASS": str(helper)}
        yield f"git+https://localhost:{server.server_port}/base/.git"
        server.shutdown()


def include(world: World, written: str) -> None:
    """Let the project include the baseline from somewhere else."""
    project = world.folder / "reconciler.yaml"
    project.write_text(project.read_text("utf-8").replace("git+file:../base", written), "utf-8")


@pytest.mark.socket
def test_a_baseline_comes_over_https(world: World, https: str, base: Path) -> None:  # noqa: F811 - a fixture
    """With a certificate of our own and a password that Git asks its helper for; neither is in any output or file."""
    include(world, https)
    ran = world.cli("update")
    assert (ran.code, "+ tag.b_customer" in ran.out) == (0, True), ran.text
    change(base, (base / "crm" / "tags.yaml").read_text("utf-8").replace("Customer,", "Buyer,"), "v2")
    project = world.folder / "reconciler.yaml"
    project.write_text(project.read_text("utf-8").replace("@v1", "@v2"), "utf-8")
    check = world.cli("update", "--check")
    assert (check.code, '"Buyer"' in check.out, "from v1" in check.out) == (2, True, True), check.text
    assert PASSWORD not in ran.text + check.text + (world.folder / "reconciler.lock").read_text("utf-8")
    wrong = Path(world.environ["GIT_ASKPASS"])
    wrong.write_text("#!/bin/sh\necho nobody\n", "utf-8")
    ran = world.cli("update", "--check")
    assert (ran.code, "cannot be fetched: fatal: Authentication failed" in " ".join(ran.err.split())) == (1, True), (
        ran.text
    )
    del world.environ["GIT_SSL_CAINFO"]
    ran = world.cli("update", "--check")
    assert (ran.code, "certificate" in ran.err) == (1, True), "nobody vouches for this server: " + ran.text


def test_a_baseline_comes_over_ssh(world: World, base: Path, tmp_path: Path) -> None:  # noqa: F811 - a fixture
    """By the program that Git takes for ssh, here one that runs what it is asked for on this machine."""
    shell = tmp_path / "ssh"
    shell.write_text(f'#!/bin/sh\necho "$*" >> {tmp_path}/asked\nfor last; do :; done\nexec sh -c "$last"\n', "utf-8")
    shell.chmod(0o755)
    world.environ["GIT_SSH_COMMAND"] = str(shell)
    include(world, f"git+ssh://git@host.example{base}")
    ran = world.cli("update")
    assert (ran.code, "+ tag.b_customer" in ran.out) == (0, True), ran.text
    asked = (tmp_path / "asked").read_text("utf-8")
    assert "git@host.example git-upload-pack" in asked
    git(base, "tag", "-d", "v1")
    ran = world.cli("update", "--check")
    assert (ran.code, "has no tag and no branch `v1`" in ran.err) == (3, True), ran.text
