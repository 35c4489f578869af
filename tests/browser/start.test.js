// `make start` -> a page that works, its address first among those that are printed, and the settings that were given; or why it does not start.

import assert from "node:assert/strict";
import { test } from "node:test";
import { openPlayground } from "./playground.js";
import { close, end, freePort, openBrowser, openStart } from "./stage.js";

test("make start prints the page's address first, the page reaches the function, and the settings do, too", async () => {
  const [FUNCTION_PORT, TENANT_PORT] = [await freePort(), await freePort()];
  const start = await openStart({ FUNCTION_PORT, TENANT_PORT, ANONYMOUS_SESSIONS: "allowed" });
  let browser, playground;
  try {
    assert.equal(start.page, `http://127.0.0.1:${TENANT_PORT}/`, start.process.output);
    browser = await openBrowser();
    playground = await openPlayground(browser, start);
    assert.equal(await playground.page.locator("#there").innerText(), `http://127.0.0.1:${FUNCTION_PORT}`);
    await playground.endpoint("/api/private");
    assert.match(await playground.page.locator(".lede").innerText(), / It runs with ANONYMOUS_SESSIONS=allowed\.$/);
    for (const kind of ["valid", "second-issuer", "anonymous"]) {
      await playground.choose(kind);
      assert.equal((await playground.send()).status, "200", kind);
    }
    await playground.page.click("#discover");
    await playground.page.waitForFunction(() => document.querySelector("#discovered").innerText.startsWith("From the URL to 200"));
  } finally {
    await close(playground, browser);
    await end(start.process, "SIGINT");
  }
  assert.equal(start.process.exitCode, 0, start.process.output);
});

test("make start says which setting is wrong, and why, without the JSON of the log", async () => {
  const [FUNCTION_PORT, TENANT_PORT] = [await freePort(), await freePort()];
  const sentence = /\nThe function did not start: GRANTS holds "roles": set it to scope, to permissions, .* grants\.\n$/;
  await assert.rejects(openStart({ FUNCTION_PORT, TENANT_PORT, GRANTS: "roles" }), { message: sentence });
});
