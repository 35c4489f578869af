// A browser and a tenant -> the playground's page, with what a user does on it and sees.

import assert from "node:assert/strict";

/** Opens the page in a context of its own, where the browser remembers nothing. */
export async function openPlayground(browser, tenant, options = {}) {
  // A page that scrolls smoothly moves away from under a click.
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(60_000);
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(`${error}`));
  page.on("console", (message) => {
    // That a call was answered 401, or did not get through, is what the page is there to show.
    const expected = /Failed to load resource|blocked by CORS policy/;
    if (message.type() === "error" && !expected.test(message.text())) complaints.push(message.text());
  });
  await page.goto(tenant.origin);
  await page.waitForSelector("body[data-ready]");
  return new Playground(page, complaints);
}

class Playground {
  constructor(page, complaints) {
    this.page = page;
    this.complaints = complaints;
  }

  /** Chooses a kind of token, and waits for the token. The one that is chosen stays as it is. */
  async choose(kind) {
    if (await this.page.isChecked(`#kinds input[value="${kind}"]`)) return;
    const before = await this.token();
    await this.page.check(`#kinds input[value="${kind}"]`);
    await this.page.waitForFunction(({ kind, before }) => {
      const token = document.querySelector("#token").value;
      return kind === "own" || (kind === "none" ? token === "" : token !== "" && token !== before);
    }, { kind, before });
  }

  /** Takes a new token of the same kind, once the tenant signs with another key. */
  async renew() {
    const before = await this.token();
    await this.page.click("#fresh");
    await this.page.waitForFunction((before) => document.querySelector("#token").value !== before, before);
  }

  async endpoint(path) {
    await this.page.check(`#endpoints input[value="${path}"]`);
  }

  /** Puts a text where the token is. */
  async paste(text) {
    await this.page.fill("#token", text);
  }

  token() {
    return this.page.inputValue("#token");
  }

  /** Sends, and returns what the page shows of the answer. */
  async send() {
    await this.page.click("#send");
    await this.page.waitForFunction(() => document.querySelector("#answer").ariaBusy === "false");
    return this.answer();
  }

  /** Sends until the status is this one: the function fetches keys by a clock of its own. */
  async sendUntil(status, seconds = 60) {
    const deadline = Date.now() + seconds * 1000;
    let answer = await this.send();
    while (answer.status !== `${status}`) {
      assert.ok(Date.now() < deadline, `no ${status} in ${seconds} s: ${answer.verdict}`);
      await this.page.waitForTimeout(500);
      answer = await this.send();
    }
    return answer;
  }

  async answer() {
    const text = (selector) => this.page.locator(selector).innerText();
    return {
      status: await text("#status"),
      verdict: await text("#verdict"),
      body: await text("#body"),
      headers: await this.fields("#headers"),
      decided: await this.page.locator("#answer").getAttribute("data-decided"),
    };
  }

  async fields(selector) {
    const names = await this.page.locator(`${selector} dt`).allTextContents();
    const values = await this.page.locator(`${selector} dd`).allTextContents();
    return Object.fromEntries(names.map((name, index) => [name, values[index]]));
  }

  /** The line as it is lit: a step and its state, then what is said of it. */
  line() {
    return this.page.locator("#line li").evaluateAll((steps) => steps.map((step) => ({
      name: step.querySelector("b").textContent,
      state: step.className,
      said: step.querySelector(".note").textContent,
    })));
  }

  /** Presses a button of the tenant's, and waits until it is done. */
  async press(id) {
    const done = this.page.waitForResponse((response) => response.url().endsWith(`/playground/${id}`));
    await this.page.click(`#${id}`);
    assert.equal((await done).status(), 200, id);
  }

  async set(mode) {
    const done = this.page.waitForResponse((response) => response.url().endsWith(`/playground/jwks/${mode}`));
    await this.page.check(`#modes input[value="${mode}"]`);
    assert.equal((await done).status(), 200, mode);
  }

  /** Waits until the page counts as many fetches. */
  async fetches(count) {
    await this.page.waitForFunction((count) => document.querySelector("#fetches").value === `${count}`, count);
  }

  async close() {
    await this.page.context().close();
    assert.deepEqual(this.complaints, [], "what the browser complained of");
  }
}
