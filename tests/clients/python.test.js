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

for (const refreshTokens of [false, true]) {
  const title = `mcp, ${refreshTokens ? "with" : "without"} refresh tokens: tools, and the step up to one that wants a scope`;
  test(title, (t) => withStage(t, "mcp", "/mcp", { refreshTokens }, async (stage) => {
    const { found, scope } = await ask("tools", stage.resource, refreshTokens);
    const tools = ["whoami", "read_messages"];
    assert.deepEqual(found, { tools, whoami: "You are ada.", read_messages: "You have one message: Hello" });
    assert.equal(scope, "read:messages");
    // Where the 401 names no scope, and the document none, it asks for all that the authorization server lists.
    const [resource, all] = [[stage.resource], "openid offline_access"];
    assert.deepEqual(stage.asked, [{ scope: all, resource }, { scope: `${all} read:messages`, resource }]);
  }));
}
