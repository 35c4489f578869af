// Two origins -> what a real browser lets through between them.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { openPlayground } from "./playground.js";
import { close, openBrowser, openFunction, openTenant } from "./stage.js";

let browser, tenant;

before(async () => {
  tenant = await openTenant();
  browser = await openBrowser();
});

after(() => close(browser, tenant));

// With the function set so, opens the page, and closes both.
async function visit(environment, visitor) {
  const lambda = await openFunction(tenant, environment);
  const playground = await openPlayground(browser, tenant);
  try {
    await visitor(playground);
  } finally {
    await close(playground, lambda);
  }
}

// What the network itself saw: the preflights and the calls to the function.
async function watch({ page }) {
  const network = await page.context().newCDPSession(page);
  await network.send("Network.enable");
  const [requests, seen] = [new Map(), []];
  network.on("Network.requestWillBeSent", ({ requestId, request, initiator }) => {
    if (request.url.startsWith(tenant.functionUrl)) requests.set(requestId, { initiator: initiator.type, method: request.method });
  });
  network.on("Network.responseReceived", ({ requestId, response }) => {
    if (requests.has(requestId)) seen.push({ ...requests.get(requestId), status: response.status, headers: response.headers });
  });
  return seen;
}

test("a preflight is really sent, and allowed", () => visit({}, async (playground) => {
  const seen = await watch(playground);
  await playground.choose("valid");
  await playground.endpoint("/api/private");
  assert.equal((await playground.send()).status, "200");
  assert.deepEqual(seen.map(({ initiator, method, status }) => [initiator, method, status]), [["preflight", "OPTIONS", 200], ["script", "GET", 200]]);
  const [preflight, call] = seen;
  assert.equal(preflight.headers["access-control-allow-origin"], "*");
  assert.match(preflight.headers["access-control-allow-headers"], /^authorization,content-type,dpop,/);
  assert.match(preflight.headers["access-control-allow-methods"], /^GET,HEAD/);
  assert.equal(call.headers["access-control-allow-origin"], "*");
  assert.deepEqual(await playground.fields("#cors"), {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": preflight.headers["access-control-allow-methods"],
    "Access-Control-Allow-Headers": preflight.headers["access-control-allow-headers"],
    "Access-Control-Max-Age": "600",
  });

  // It is remembered; and without the header that asks for it, there is none.
  seen.length = 0;
  await playground.send();
  await playground.endpoint("/api/private-scoped");
  await playground.choose("none");
  await playground.send();
  assert.deepEqual(seen.map(({ method, status }) => [method, status]), [["GET", 200], ["GET", 401]]);
}));

test("a page can read the status, the body and the challenge of a 401", () => visit({}, async ({ page }) => {
  const answer = await page.evaluate(async (url) => {
    const response = await fetch(url, { headers: { Authorization: "Bearer junk" } });
    const headers = Object.fromEntries(response.headers);
    return { type: response.type, status: response.status, body: await response.text(), headers };
  }, `${tenant.functionUrl}/api/private`);
  assert.deepEqual(answer, {
    type: "cors",
    status: 401,
    body: '{"code":"invalid_header","description":"Unable to parse authentication token."}',
    headers: {
      "cache-control": "no-store",
      "content-type": "application/json",
      "www-authenticate": 'Bearer realm="api", error="invalid_token", error_description="Unable to parse authentication token."',
      ...("content-length" in answer.headers ? { "content-length": answer.headers["content-length"] } : {}),
    },
  });
}));

test("the browser blocks the page where another origin is allowed", () => visit({ ALLOWED_ORIGINS: "https://app.example" }, async (playground) => {
  for (const kind of ["none", "valid"]) {
    await playground.choose(kind);
    const answer = await playground.send();
    assert.deepEqual([answer.status, answer.body, answer.headers, answer.decided], ["—", "", {}, ""], kind);
    assert.match(answer.verdict, /The browser blocked the call: the function answers, but pages of http:\/\/127\.0\.0\.1:\d+ may not read it. Name that origin in ALLOWED_ORIGINS/, kind);
  }
  assert.equal((await playground.fields("#cors")).Vary?.toLowerCase(), "origin");
}));

test("it does not where the page's own origin is allowed", () => visit({ ALLOWED_ORIGINS: `https://app.example,${tenant.origin}` }, async (playground) => {
  await playground.choose("valid");
  await playground.endpoint("/api/private");
  assert.equal((await playground.send()).status, "200");
  assert.equal((await playground.fields("#cors"))["Access-Control-Allow-Origin"], tenant.origin);
}));

test("a page of another origin cannot turn the tenant's keys", () => visit({}, async ({ page }) => {
  const state = async () => (await fetch(`${tenant.origin}/playground/tenant`)).json();
  const before = await state();
  await page.goto(`${tenant.functionUrl}/api/public`);
  const answers = await page.evaluate((origin) => Promise.all(["rotate", "withdraw", "jwks/down"].map(async (path) => {
    const { type } = await fetch(`${origin}/playground/${path}`, { method: "POST", mode: "no-cors" });
    const reading = await fetch(`${origin}/playground/tenant`).then(() => "read", () => "kept");
    return [type, reading];
  })), tenant.origin);
  assert.deepEqual(answers, Array(3).fill(["opaque", "kept"]), "they arrive, as the browser sends them");
  const { signs, keys, jwks } = await state();
  assert.deepEqual({ ...before, signs, keys, jwks }, before);
}));
