"""template.yaml -> its routes and CORS over HTTP: SAM CLI's own gateway, with the function in AWS's emulator behind it.

SAM CLI would start the function in Docker. Here its runner is replaced by a call to the emulator; all else is as in
`sam local start-api`. That gateway differs from AWS's in a few things: it answers a preflight with 200 in place of 204,
an unknown route with 403 in place of 404, and sends no Access-Control-Expose-Headers of its own.
"""

import json
import threading
from contextlib import contextmanager

import yaml
from samcli.lib.providers.api_provider import ApiProvider
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider
from samcli.local.apigw.local_apigw_service import LocalApigwService
from werkzeug.serving import make_server

from expanded import TEMPLATE, resolved


def serving(function, folder, **parameters):
    """The address of the gateway of a stack with these parameters, until the block ends."""
    # SAM CLI resolves no condition inside CorsConfiguration.
    return serving_resolved(resolved(TEMPLATE, **parameters), Runner(function), folder)


@contextmanager
def serving_resolved(resolved, runner, folder):
    """The same for any template without conditions."""
    template = folder / "template.yaml"
    template.write_text(yaml.safe_dump(json.loads(json.dumps(resolved))))
    stacks, _ = SamLocalStackProvider.get_stacks(str(template))
    service = LocalApigwService(ApiProvider(stacks).api, runner, port=0, host="127.0.0.1")
    service.create()
    server = make_server("127.0.0.1", 0, service._app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Runner:
    """What SAM CLI calls to invoke a function."""

    def __init__(self, function):
        self.function = function

    def is_debugging(self):
        return False

    def invoke(self, name, event, stdout, stderr, tenant_id=None):
        assert name == "Function"
        stdout.write_str(json.dumps(self.function.invoke(json.loads(event))))
