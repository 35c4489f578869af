// `make start` -> a page that works, and its address first among those that are printed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { openPlayground } from "./playground.js";
import { close, end, freePort, openBrowser, openStart } from "./stage.js";

test("make start prints the page's address first, and the page reaches the function", async () => {
  const [FUNCTION_PORT, TENANT_PORT] = [await freePort(), await freePort()];
  const start = await openStart({ FUNCTION_PORT, TENANT_PORT });
  let browser, playground;
  try {
    assert.equal(start.page, `http://127.0.0.1:${TENANT_PORT}/`, start.process.output);
    browser = await openBrowser();
    playground = await openPlayground(browser, start);
    assert.equal(await playground.page.locator("#there").innerText(), `http://127.0.0.1:${FUNCTION_PORT}`);
    await playground.endpoint("/api/private");
    assert.equal((await playground.send()).status, "200");
  } finally {
    await close(playground, browser);
    await end(start.process, "SIGINT");
  }
  assert.equal(start.process.exitCode, 0, start.process.output);
});
