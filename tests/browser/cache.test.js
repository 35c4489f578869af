// What the buttons do to the tenant -> what the function's cache of keys makes of it, as a user sees it happen.
//
// The function's pauses between two fetches are real here, so these tests send until they are over.

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { openPlayground } from "./playground.js";
import { close, openBrowser, openFunction, openTenant } from "./stage.js";

let browser;

before(async () => {
  browser = await openBrowser();
});

after(() => close(browser));

// Opens all three; `prepare` turns the tenant before the function starts.
async function visit(visitor, prepare = async () => {}) {
  const tenant = await openTenant();
  let lambda, playground;
  try {
    await prepare(tenant);
    lambda = await openFunction(tenant);
    playground = await openPlayground(browser, tenant);
    await playground.endpoint("/api/private");
    await visitor(playground, tenant);
  } finally {
    await close(playground, lambda, tenant);
  }
}

/** Waits until the page lists these keys: it draws a moment after the tenant has answered. */
async function keys({ page }, ...expected) {
  const listed = () => [...document.querySelectorAll("#keys li")].map((item) => item.lastChild.textContent).join("; ");
  await page.waitForFunction(`(${listed})() === ${JSON.stringify(expected.join("; "))}`);
}

// Side by side, for they wait far more than they work.
describe("the cache of keys", { concurrency: true }, () => {
  it("rotation and withdrawal: the old key serves until the function has fetched the new one", () => visit(async (playground) => {
    const { page } = playground;
    await playground.fetches(1);
    await keys(playground, "signs, this token’s");
    assert.ok(await page.isDisabled("#withdraw"), "there is no old key yet");
    assert.equal((await playground.send()).status, "200");
    const old = await playground.token();

    await playground.press("rotate");
    await keys(playground, "signs", "old, this token’s");
    assert.equal((await playground.send()).status, "200", "the old key is still published");
    await playground.press("withdraw");
    await keys(playground, "signs");
    assert.equal((await playground.send()).status, "200", "the function still has it");
    const line = await playground.line();
    assert.match(line[2].said, /withdrawn; the function still has it/);
    await playground.fetches(1); // known keys cost none

    await playground.renew();
    await keys(playground, "signs, this token’s");
    assert.equal((await playground.send()).status, "200", "the first token of a new key makes the function fetch it");
    await playground.fetches(2);

    await playground.paste(old);
    const refused = await playground.send();
    assert.deepEqual([refused.status, refused.decided], ["401", "key"], "the old key is withdrawn for good");
    assert.equal(JSON.parse(refused.body).description, "Unable to find appropriate key");
  }));

  for (const mode of ["down", "garbage"]) {
    it(`a tenant that is ${mode} from the start: 503, until it is in order again`, () => visit(async (playground) => {
      const { page } = playground;
      assert.ok(await page.isChecked(`#modes input[value="${mode}"]`), "the page says so");
      const answer = await playground.send();
      assert.deepEqual([answer.status, answer.decided], ["503", "key"]);
      assert.match(answer.headers["Retry-After"], /^([1-9]|1[0-2])$/);
      assert.deepEqual(JSON.parse(answer.body), { code: "jwks_unavailable", description: "Signing keys are temporarily unavailable" });
      assert.match(answer.verdict, /cannot fetch it: the tenant fails/);
      await playground.endpoint("/api/public");
      assert.equal((await playground.send()).status, "200", "public endpoints need no keys");

      await playground.set("ok");
      await playground.endpoint("/api/private");
      await playground.sendUntil(200);
    }, (tenant) => tenant.turn(`jwks/${mode}`)));
  }

  it("an outage: tokens of a key that the function has are served, others get 503; slowness costs time", () => visit(async (playground) => {
    const old = await playground.token();
    assert.equal((await playground.send()).status, "200");
    await playground.set("down");
    await playground.press("rotate");
    assert.equal((await playground.send()).status, "200", "the function has its key");
    await playground.renew();
    const answer = await playground.sendUntil(503);
    assert.equal(answer.decided, "key");
    await playground.sendUntil(503); // and with that, the fetch has ended
    await playground.paste(old);
    assert.equal((await playground.send()).status, "200", "as before");
    await playground.choose("second-issuer");
    assert.equal((await playground.send()).status, "200", "another issuer has keys of its own");

    await playground.set("slow");
    await playground.choose("valid");
    const { verdict } = await playground.sendUntil(200);
    const [, milliseconds] = verdict.match(/(\d+) ms/);
    assert.ok(milliseconds >= 1500, `the one that had to wait for the keys took ${milliseconds} ms`);
  }));
});
