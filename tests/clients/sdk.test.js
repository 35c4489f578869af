// Both MCP SDKs in TypeScript: from nothing but a URL to a token, to tools, and past a 403.

import assert from "node:assert/strict";
import { test } from "node:test";
import * as v2 from "@modelcontextprotocol/client";
import * as auth from "@modelcontextprotocol/sdk/client/auth.js";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { claims, withStage } from "./stage.js";
import { CALLBACK, visit } from "./user.js";

const SDKS = [
  ["@modelcontextprotocol/sdk", { ...auth, Client, StreamableHTTPClientTransport }],
  ["@modelcontextprotocol/client", v2],
];

for (const [name, sdk] of SDKS) {
  test(`${name}: a token with exactly the scope that the route wants`, (t) => withStage(t, "api-authorization", "", {}, async (stage) => {
    const provider = new Provider();
    const serverUrl = `${stage.url}/api/private-scoped`;
    const stranger = await fetch(serverUrl);
    assert.equal(stranger.status, 401);
    const { resourceMetadataUrl, scope } = sdk.extractWWWAuthenticateParams(stranger);
    assert.equal(await sdk.auth(provider, { serverUrl, resourceMetadataUrl, scope }), "REDIRECT");
    const callback = await visit(provider.address);
    const code = Object.fromEntries(callback.searchParams);
    const options = { serverUrl, resourceMetadataUrl, scope, authorizationCode: code.code, iss: code.iss };
    assert.equal(await sdk.auth(provider, options), "AUTHORIZED");

    const { access_token: token } = provider.tokens();
    assert.deepEqual(stage.asked, [{ scope: "read:messages", resource: [stage.resource] }]);
    assert.deepEqual([claims(token).scope, claims(token).aud], ["read:messages", stage.resource]);
    assert.equal((await fetch(serverUrl, { headers: { authorization: `Bearer ${token}` } })).status, 200);
  }));

  for (const [mode, options] of [
    ["legacy", {}], ["legacy", { refreshTokens: true }], ["auto", { refreshTokens: true }], ["legacy", { renamesChallenge: true }],
  ]) {
    if (mode === "auto" && sdk !== v2) continue;
    const title = `${name}, ${mode} ${JSON.stringify(options)}: tools, and the step up to one that wants a scope`;
    test(title, (t) => withStage(t, "mcp", "/mcp", options, async (stage) => {
      const provider = new Provider(options.refreshTokens);
      const open = () => {
        const client = new sdk.Client({ name: "test", version: "1.0.0" }, { versionNegotiation: { mode } });
        const transport = new sdk.StreamableHTTPClientTransport(new URL(stage.resource), { authProvider: provider });
        const finish = async () => {
          const { searchParams } = await visit(provider.address);
          await transport.finishAuth(sdk === v2 ? searchParams : searchParams.get("code"));
        };
        return { client, transport, finish };
      };

      const stranger = open();
      await assert.rejects(stranger.client.connect(stranger.transport), sdk.UnauthorizedError);
      await stranger.finish();
      const { client, transport, finish } = open();
      t.after(() => client.close());
      await client.connect(transport);
      const { tools } = await client.listTools();
      assert.deepEqual(tools.map(({ name }) => name), ["whoami", "read_messages"]);
      assert.deepEqual(await client.callTool({ name: "whoami" }), said("You are ada."));

      const call = client.callTool({ name: "read_messages" });
      const resource = [stage.resource];
      // No answer of ours changes these two: a challenge that is not found, and a refresh of the token that lacks the scope.
      const never = options.renamesChallenge ? /Error POSTing/ : sdk !== v2 && options.refreshTokens && /403 after trying upscoping/;
      if (never) {
        await assert.rejects(call, never);
        assert.deepEqual(stage.asked, [{ scope: null, resource }]);
        return;
      }
      await assert.rejects(call, sdk.UnauthorizedError);
      await finish();
      assert.deepEqual(await client.callTool({ name: "read_messages" }), said("You have one message: Hello"));
      const more = sdk === v2 && options.refreshTokens ? " offline_access" : "";
      assert.deepEqual(stage.asked, [{ scope: null, resource }, { scope: `read:messages${more}`, resource }]);
    }));
  }
}

const said = (text) => ({ content: [{ type: "text", text }] });

/** What an application keeps for an SDK. */
class Provider {
  redirectUrl = CALLBACK;
  #kept = {};

  constructor(refreshTokens = false) {
    this.clientMetadata = {
      client_name: "test", redirect_uris: [CALLBACK], response_types: ["code"], token_endpoint_auth_method: "none",
      grant_types: ["authorization_code", ...refreshTokens ? ["refresh_token"] : []],
    };
  }

  clientInformation() { return this.#kept.client; }
  saveClientInformation(client) { this.#kept.client = client; }
  tokens() { return this.#kept.tokens; }
  saveTokens(tokens) { this.#kept.tokens = tokens; }
  codeVerifier() { return this.#kept.verifier; }
  saveCodeVerifier(verifier) { this.#kept.verifier = verifier; }
  discoveryState() { return this.#kept.discovery; }
  saveDiscoveryState(discovery) { this.#kept.discovery = discovery; }
  /** Where the application sends its user. */
  redirectToAuthorization(address) { this.address = address; }
}
