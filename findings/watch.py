"""Turns a request into what `cargo lambda watch` does with it: starts it, and plays the function by the Runtime API.

For the three scripts about cargo-lambda. `cargo-lambda` is looked up on the PATH.
"""

import http.client
import json
import os
import socket
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager


@contextmanager
def watch():
    """Gives a function that sends a request, answers it as the function, and returns what each of the two has got."""
    with tempfile.TemporaryDirectory() as package:
        write_empty_package(package)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        process = subprocess.Popen(
            ["cargo-lambda", "lambda", "watch", "--only-lambda-apis", "-A", "127.0.0.1", "-P", str(port)],
            cwd=package,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_for(port)
            yield lambda answer, *headers: request(port, answer, headers)
        finally:
            process.terminate()
            process.wait()


def request(port, answer, headers):
    """What the caller gets (status, body), and what the function was given (the Runtime API's headers, the event)."""
    caller = []
    thread = threading.Thread(target=lambda: caller.append(exchange(port, "GET", "/lambda-url/function/", headers)))
    thread.start()
    invocation = "/.rt/function/2018-06-01/runtime/invocation"
    _, given, event = exchange(port, "GET", f"{invocation}/next")
    path = f"{invocation}/{given['lambda-runtime-aws-request-id']}/response"
    exchange(port, "POST", path, body=json.dumps(answer).encode())
    thread.join()
    status, _, body = caller[0]
    return (status, body), (given, json.loads(event))


def exchange(port, method, path, headers=(), body=b""):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.putrequest(method, path)
    for name, value in [*headers, ("Content-Length", str(len(body)))]:
        connection.putheader(name, value)
    connection.endheaders(body)
    response = connection.getresponse()
    return response.status, response.headers, response.read().decode()


def write_empty_package(folder):
    """`watch` starts in a package alone; nothing of this one is built."""
    os.mkdir(f"{folder}/src")
    with open(f"{folder}/src/main.rs", "w") as main:
        main.write("fn main() {}\n")
    with open(f"{folder}/Cargo.toml", "w") as manifest:
        manifest.write('[package]\nname = "function"\nversion = "0.0.0"\nedition = "2021"\n')


def wait_for(port):
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise SystemExit("cargo lambda watch did not start.")
