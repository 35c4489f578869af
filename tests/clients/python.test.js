// The MCP SDK in Python: from nothing but a URL to a token, to tools, and past a 403.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { claims, withStage } from "./stage.js";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** What client.py found: it is told the URL, and nothing of the authorization server. */
async function ask(what, url, refreshTokens) {
  const answer = await promisify(execFile)(here(".venv/bin/python"), [here("client.py"), what, url, `${refreshTokens}`]);
  const { token, ...found } = JSON.parse(answer.stdout);
  return { found, scope: claims(token).scope };
}

test("mcp: a token with exactly the scope that the route wants", (t) => withStage(t, "api-authorization", "", {}, async (stage) => {
  const { found, scope } = await ask("route", `${stage.url}/api/private-scoped`, false);
  assert.deepEqual([found, scope], [{ status: 200 }, "read:messages"]);
  assert.deepEqual(stage.asked, [{ scope: "read:messages", resource: [stage.resource] }]);
}));

for (const options of [{}, { refreshTokens: true }, { renamesChallenge: true }]) {
  const title = `mcp ${JSON.stringify(options)}: tools, and the step up to one that wants a scope`;
  test(title, (t) => withStage(t, "mcp", "/mcp", options, async (stage) => {
    const { found, scope } = await ask("tools", stage.resource, options.refreshTokens ?? false);
    const refused = options.renamesChallenge;
    assert.deepEqual(found, {
      tools: ["whoami", "read_messages"], whoami: "You are ada.",
      read_messages: refused ? "Server returned an error response" : "You have one message: Hello",
    });
    // Where the 401 names no scope, and the document none, it asks for all that the authorization server lists.
    const [resource, all] = [[stage.resource], "openid offline_access"];
    const more = refused ? [] : [{ scope: `${all} read:messages`, resource }];
    assert.deepEqual(stage.asked, [{ scope: all, resource }, ...more]);
    assert.equal(scope, refused ? undefined : "read:messages");
  }));
}
