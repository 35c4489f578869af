"""The built function as a process -> its answer to a token: a Runtime API and a JWKS, both on this machine."""

import json
import queue
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tokens import AUDIENCE

EVENT = Path(__file__).parents[2] / "events/private.json"


class Function:
    """Started by `with`; what it was asked last is answered before the next question."""

    def __init__(self, binary: str, jwks: dict) -> None:
        self.binary = binary
        self.jwks = json.dumps(jwks).encode()
        self.events: queue.Queue = queue.Queue()
        self.outcomes: queue.Queue = queue.Queue()
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.domain = f"127.0.0.1:{self.server.server_port}"
        self.issuer = f"https://{self.domain}/"

    def __enter__(self) -> "Function":
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        environment = {
            "AWS_LAMBDA_RUNTIME_API": self.domain,
            "AWS_LAMBDA_FUNCTION_NAME": "api-authorization",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128",
            "AUTH0_DOMAIN": self.domain,
            "API_AUDIENCE": AUDIENCE,
            "JWKS_URI": f"http://{self.domain}/.well-known/jwks.json",
        }
        self.process = subprocess.Popen([self.binary], env=environment, stdout=subprocess.DEVNULL)
        return self

    def __exit__(self, *_) -> None:
        self.server.handle_error = lambda *_: None  # its last question for an event breaks off
        self.process.kill()
        self.process.wait()
        self.server.shutdown()

    def ask(self, token: str) -> str:
        """`accepted`, or the code of the refusal."""
        self.events.put(event(token))
        answer = self.outcomes.get(timeout=60)
        body = json.loads(answer["body"])
        return "accepted" if answer["statusCode"] == 200 else body["code"]

    def handler(self) -> type[BaseHTTPRequestHandler]:
        function = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one packet, or each answer costs a delayed ACK of 40 ms

            def do_GET(self) -> None:
                if self.path.endswith("jwks.json"):
                    return self.answer(200, function.jwks)
                self.answer(200, function.events.get())

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"] or 0))
                if self.path.endswith("/response"):
                    function.outcomes.put(json.loads(body))
                self.answer(202, b"")

            def answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("lambda-runtime-aws-request-id", "request")
                self.send_header("lambda-runtime-deadline-ms", "0")
                self.send_header("lambda-runtime-invoked-function-arn", "arn")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                self.wfile.flush()

            def log_message(self, *_) -> None:
                pass

        return Handler


def event(token: str) -> bytes:
    request = json.loads(EVENT.read_text())
    request["headers"]["authorization"] = f"Bearer {token}"
    return json.dumps(request).encode()
