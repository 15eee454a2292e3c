"""Stand-ins for the places where AWS hands out credentials. Threads of botocore's ask them while the loop runs on."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[str], tuple[int, str]]
"""From the request's line, headers and body to a status and a text."""


def expiry(seconds: float) -> str:
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def container_key(number: int, seconds: float) -> str:
    """As ECS and EKS Pod Identity answer."""
    return json.dumps(
        {
            "AccessKeyId": f"AKID{number}",
            "SecretAccessKey": f"container-secret-{number}",
            "Token": f"container-token-{number}",
            "Expiration": expiry(seconds),
            "RoleArn": "arn:aws:iam::1:role/quire",
        }
    )


def web_identity_key(number: int, seconds: float) -> str:
    """As STS answers AssumeRoleWithWebIdentity."""
    return (
        '<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
        "<AssumeRoleWithWebIdentityResult><Credentials>"
        f"<AccessKeyId>ASIA{number}</AccessKeyId><SecretAccessKey>web-secret</SecretAccessKey>"
        f"<SessionToken>web-token</SessionToken><Expiration>{expiry(seconds)}</Expiration>"
        "</Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
    )


def role_key(seconds: float) -> str:
    """As IAM Identity Center (single sign-on) answers."""
    return json.dumps(
        {
            "roleCredentials": {
                "accessKeyId": "ASIASSO",
                "secretAccessKey": "sso-secret",
                "sessionToken": "sso-token",
                "expiration": int((time.time() + seconds) * 1000),
            }
        }
    )


@contextmanager
def endpoint(answer: Answer) -> Iterator[str]:
    """Its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            status, text = answer(f"{self.command} {self.path}\n{self.headers}\n{body}")
            self.send_response(status)
            self.send_header("Content-Type", "text/xml" if text.startswith("<") else "application/json")
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            """Not to the test's output."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = False
    serving = threading.Thread(target=server.serve_forever)
    serving.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        serving.join()
        server.server_close()
