// `make start` -> a page that works, and its address first among those that are printed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { openPlayground } from "./playground.js";
import { close, end, freePort, openBrowser, ROOT, run, until } from "./stage.js";

test("make start prints the page's address first, and the page reaches the function", async () => {
  const [FUNCTION_PORT, ISSUER_PORT] = [await freePort(), await freePort()];
  const { CARGO_TARGET_DIR, CARGO_HOME, RUSTUP_HOME } = process.env;
  const environment = Object.entries({ FUNCTION_PORT, ISSUER_PORT, CARGO_TARGET_DIR, CARGO_HOME, RUSTUP_HOME });
  const start = run(`${ROOT}scripts/start`, [], Object.fromEntries(environment.filter(([, value]) => value !== undefined)));
  let browser, playground;
  try {
    // The first time, it has something to build.
    await until(() => start.output.includes("Ctrl-C ends all."), start, 1200);
    const [first] = start.output.match(/http:\/\/[^\s']+/);
    assert.equal(first, `http://127.0.0.1:${ISSUER_PORT}/`, start.output);
    browser = await openBrowser();
    playground = await openPlayground(browser, { origin: first.replace(/\/$/, "") });
    assert.equal(await playground.page.locator("#there").innerText(), `http://127.0.0.1:${FUNCTION_PORT}`);
    await playground.endpoint("/api/private");
    assert.equal((await playground.send()).status, "200");
  } finally {
    await close(playground, browser);
    await end(start, "SIGINT");
  }
  assert.equal(start.exitCode, 0, start.output);
});
