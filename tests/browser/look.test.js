// Widths, colour schemes and ways to use a page -> the page is readable, steady and accessible in each.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import axe from "axe-core";
import { openPlayground } from "./playground.js";
import { close, openBrowser, openFunction, openTenant } from "./stage.js";

let browser, tenant, lambda;

before(async () => {
  tenant = await openTenant();
  lambda = await openFunction(tenant, { RESOURCE_URL: tenant.functionUrl }); // as `make start` does, and challenges are longer for it
  browser = await openBrowser();
});

after(() => close(browser, lambda, tenant));

async function visit(options, visitor) {
  const playground = await openPlayground(browser, tenant, options);
  try {
    await visitor(playground, playground.page);
  } finally {
    await close(playground);
  }
}

const WIDTHS = [360, 768, 1100, 1280, 1600];
const sized = (width) => ({ width, height: 900 });

async function violations(page) {
  await page.evaluate(axe.source);
  const { violations, passes } = await page.evaluate(() => globalThis.axe.run(document, {
    runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
  }));
  assert.ok(passes.some(({ id }) => id === "color-contrast"), "it has looked at the contrast");
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join("; ")}`);
}

async function discover(page) {
  await page.click("#discover");
  await page.waitForFunction(() => document.querySelector("#discovered").innerText !== "Not asked yet.");
}

for (const colorScheme of ["light", "dark"]) {
  for (const width of [360, 1600]) {
    test(`no violation of accessibility, ${colorScheme}, ${width} pixels wide`, () => visit({ colorScheme, viewport: sized(width), reducedMotion: "reduce" }, async (playground, page) => {
      assert.deepEqual(await violations(page), [], "before anything is sent");
      for (const kind of ["none", "scoped", "tampered-payload"]) {
        await playground.choose(kind);
        await playground.endpoint("/api/private-scoped");
        await playground.send();
        assert.deepEqual(await violations(page), [], kind);
      }
      await playground.press("rotate");
      await page.click("#all");
      await page.waitForFunction(() => !document.querySelector("#all").disabled);
      assert.deepEqual(await violations(page), [], "all sent");
      await discover(page);
      assert.deepEqual(await violations(page), [], "discovered");
      await playground.press("withdraw");
    }));
  }
}

test("it follows the system's colours, unless it is told otherwise", async () => {
  const ground = (page) => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const seen = {};
  for (const colorScheme of ["light", "dark"]) {
    await visit({ colorScheme }, async (_, page) => {
      seen[colorScheme] = await ground(page);
      const other = colorScheme === "light" ? "dark" : "light";
      await page.click(`#themes label:has([value="${other}"])`);
      seen[`told ${other}`] = await ground(page);
      await page.click("#themes label:has([value=''])");
      assert.equal(await ground(page), seen[colorScheme]);
    });
  }
  assert.notEqual(seen.light, seen.dark);
  assert.deepEqual([seen["told light"], seen["told dark"]], [seen.light, seen.dark]);
});

for (const width of WIDTHS) {
  test(`nothing jumps and nothing sticks out, ${width} pixels wide`, () => visit({ viewport: sized(width), reducedMotion: "reduce" }, async (playground, page) => {
    const places = () => page.evaluate(() => Object.fromEntries(["#send", "#answer", "#line", ".sides", "#rotate", "#decoded"].map((selector) =>
      [selector, Math.round(document.querySelector(selector).getBoundingClientRect().top + scrollY)])));
    // Answers take 7 ms and a quarter of a minute, by turns.
    await page.evaluate(() => {
      const times = [0, 7, 0, 12_345];
      performance.now = () => { times.push(times.shift()); return times.at(-1); };
    });
    const before = await places();
    for (const kind of ["valid", "expired", "wrong-audience", "wrong-issuer", "bad-signature", "unknown-key", "algorithm-none", "tampered-payload", "second-issuer", "permissions", "organization", "delegated", "anonymous", "refresh", "scoped"]) {
      for (const path of ["/api/private", "/api/private-scoped"]) {
        await playground.choose(kind);
        await playground.endpoint(path);
        await playground.send();
        assert.deepEqual(await places(), before, `${kind} ${path}`);
      }
    }
    await discover(page);
    assert.deepEqual(await places(), before, "discovered");
    const sticksOut = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(sticksOut <= 0, `the page is ${sticksOut} pixels too wide`);
    const cut = await page.locator("#grid th").evaluateAll((heads) => heads.filter((head) => head.scrollWidth > head.clientWidth).map((head) => head.textContent));
    assert.deepEqual(cut, [], "each name has room beside its answers");
  }));
}

test("the keyboard alone will do", () => visit({}, async (playground, page) => {
  const focused = () => page.evaluate(() => {
    const { id, name, value } = document.activeElement;
    return id || `${name} ${value}`;
  });
  const press = async (...keys) => { for (const key of keys) await page.keyboard.press(key); };
  await press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the answer");
  assert.ok(await page.evaluate(() => document.activeElement.getBoundingClientRect().left >= 0), "it shows itself");
  await press("Tab", "Tab");
  assert.equal(await focused(), "kind valid");
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.equal(outline, "solid", "the focus is to be seen");
  const before = await playground.token();
  await press("ArrowDown", "ArrowDown");
  await page.waitForFunction((before) => document.querySelector("#token").value !== before && document.querySelector("#about").textContent.includes("ran out"), before);
  assert.equal(await focused(), "kind expired");
  await press("Tab");
  assert.equal(await focused(), "endpoint /api/private");
  await press("Tab");
  assert.equal(await focused(), "send");
  await press("Enter");
  await page.waitForFunction(() => document.querySelector("#status").textContent === "401");
  const live = await page.locator("#verdict").getAttribute("role");
  assert.equal(live, "status", "a screen reader hears of it");
}));

test("where the function does not run, it says what to do, and notices when it does", async () => {
  const alone = await openTenant();
  let playground, lambda;
  try {
    playground = await openPlayground(browser, alone, { colorScheme: "dark" });
    const { page } = playground;
    const sentence = `The function does not answer at ${alone.functionUrl}: start it with make start.`;
    assert.ok((await playground.answer()).verdict.includes(sentence), "at once");
    assert.equal((await playground.send()).verdict, `No answer\n\n${sentence}`);
    assert.deepEqual(await violations(page), []);
    await page.click("#all");
    await page.waitForFunction(() => !document.querySelector("#all").disabled);
    assert.equal(await page.locator("#tally").innerText(), "Stopped after 0 of 48: there was no answer.");

    lambda = await openFunction(alone);
    await page.waitForFunction(() => document.querySelector("#verdict").innerText.startsWith("Nothing sent yet"));
    await playground.endpoint("/api/private");
    assert.equal((await playground.send()).status, "200");

    await alone.close();
    await page.waitForFunction((origin) => document.querySelector("#verdict").innerText.includes(`The stand-in tenant does not answer at ${origin}: start it with make start.`), alone.origin);
  } finally {
    await close(playground, lambda, alone);
  }
});
