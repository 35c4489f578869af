"""The MCP SDK in Python: from nothing but a URL to what `sdk.test.js` asks for, as a line of JSON."""

import asyncio
import json
import sys
from urllib.parse import parse_qs, urlsplit

import httpx2
from mcp.client import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.auth.oauth2 import AuthorizationCodeResult
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientMetadata
from mcp.shared.exceptions import MCPError

# Where clients ask to be called back. Nothing listens there: this browser stops before.
CALLBACK = "http://127.0.0.1:1/callback"


class User:
    """A user with a browser."""

    async def open(self, address: str) -> None:
        """Goes on until the browser is back at the client."""
        async with httpx2.AsyncClient() as browser:
            while not address.startswith(CALLBACK):
                answer = await browser.get(address)
                address = str(answer.url.join(answer.headers["location"]))
        self.query = parse_qs(urlsplit(address).query)

    async def callback(self) -> AuthorizationCodeResult:
        first = {name: values[0] for name, values in self.query.items()}
        return AuthorizationCodeResult(code=first["code"], state=first.get("state"), iss=first.get("iss"))


class Storage:
    """What an application keeps for the SDK."""

    def __init__(self) -> None:
        self.tokens = self.client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens) -> None:
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client) -> None:
        self.client = client


def provider(url: str, storage: Storage, refresh_tokens: bool) -> OAuthClientProvider:
    user = User()
    grants = ["authorization_code"] + (["refresh_token"] if refresh_tokens else [])
    metadata = OAuthClientMetadata(
        client_name="test", redirect_uris=[CALLBACK], grant_types=grants, token_endpoint_auth_method="none"
    )
    return OAuthClientProvider(url, metadata, storage, user.open, user.callback)


async def main(what: str, url: str, refresh_tokens: str) -> None:
    storage = Storage()
    async with httpx2.AsyncClient(auth=provider(url, storage, refresh_tokens == "true")) as http:
        if what == "route":
            answer = await http.get(url)
            found = {"status": answer.status_code}
        else:
            async with Client(streamable_http_client(url, http_client=http)) as client:
                tools = await client.list_tools()
                found = {"tools": [tool.name for tool in tools.tools]}
                for tool in ("whoami", "read_messages"):
                    try:
                        answer = await client.call_tool(tool)
                        found[tool] = answer.content[0].text
                    except MCPError as error:
                        found[tool] = str(error)
    print(json.dumps(found | {"token": storage.tokens.access_token}))


asyncio.run(main(*sys.argv[1:]))
