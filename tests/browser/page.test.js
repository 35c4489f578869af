// The page -> what it sends, and what it shows of the answer.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, before, test } from "node:test";
import { promisify } from "node:util";
import { openPlayground } from "./playground.js";
import { close, openBrowser, openFunction, openTenant } from "./stage.js";

let browser, tenant, lambda, playground;

before(async () => {
  tenant = await openTenant();
  lambda = await openFunction(tenant);
  browser = await openBrowser();
  playground = await openPlayground(browser, tenant, { permissions: ["clipboard-read", "clipboard-write"] });
});

after(() => close(playground, browser, lambda, tenant));

// The table of errors, once more and by hand.
const REFUSALS = {
  missing: [401, "authorization_header_missing", "Authorization header is expected", 'Bearer realm="api"'],
  unparsable: invalid("invalid_header", "Unable to parse authentication token."),
  noKey: invalid("invalid_header", "Unable to find appropriate key"),
  expired: invalid("token_expired", "token is expired"),
  claims: invalid("invalid_claims", "incorrect claims,please check the audience and issuer"),
  scope: [403, "Unauthorized", "You don't have access to this resource",
    'Bearer realm="api", error="insufficient_scope", error_description="You don\'t have access to this resource", scope="read:messages"'],
};

function invalid(code, description) {
  return [401, code, description, `Bearer realm="api", error="invalid_token", error_description="${description}"`];
}

// A kind, what the private endpoint and the one with a scope make of it, at which step, and what the page finds there.
const ROWS = [
  ["none", "missing", "missing", "bearer", "no Authorization header"],
  ["valid", null, "scope", "scope", "lacks read:messages"],
  ["scoped", null, null],
  ["expired", "expired", "expired", "times", "expired 1 day ago"],
  ["wrong-audience", "claims", "claims", "claims", "another audience"],
  ["wrong-issuer", "claims", "claims", "claims", "another issuer"],
  ["bad-signature", "unparsable", "unparsable", "signature", "does not fit key and content"],
  ["unknown-key", "noKey", "noKey", "key", / is not published$/],
  ["algorithm-none", "unparsable", "unparsable", "header", "alg is none"],
  ["tampered-payload", "unparsable", "unparsable", "signature", "does not fit key and content"],
  ["second-issuer", null, "scope", "scope", "lacks read:messages"],
  ["permissions", null, "scope", "scope", "lacks read:messages"],
  ["organization", null, "scope", "scope", "lacks read:messages"],
  ["delegated", null, "scope", "scope", "lacks read:messages"],
  ["anonymous", "claims", "claims", "claims", "an anonymous session"],
  ["refresh", "claims", "claims", "claims", "typ is Refresh"],
];

const STEPS = ["Bearer", "Header", "Key", "Signature", "Times", "Claims", "Scope", "Endpoint"];

for (const [kind, atPrivate, atScoped, step, finding] of ROWS) {
  test(`a token of the kind ${kind} at every endpoint`, async () => {
    await playground.choose(kind);
    for (const [path, refusal] of [["/api/public", null], ["/api/private", atPrivate], ["/api/private-scoped", atScoped]]) {
      await playground.endpoint(path);
      const answer = await playground.send();
      const line = await playground.line();
      assert.deepEqual(line.map(({ name }) => name), STEPS, path);
      assert.match(answer.verdict, / ms\b/, "the duration");
      if (refusal === null) {
        assert.deepEqual([answer.status, answer.decided], ["200", "endpoint"], path);
        assert.match(JSON.parse(answer.body).message, /^Hello from a p/, path);
        assert.equal(answer.headers["WWW-Authenticate"], undefined, path);
        const before = path === "/api/public" ? "skipped" : "passed";
        assert.deepEqual(line.map(({ state }) => state), [...Array(7).fill(before), "decided good"], path);
        continue;
      }
      const [status, code, description, challenge] = REFUSALS[refusal];
      assert.deepEqual([answer.status, answer.decided], [`${status}`, step], path);
      assert.deepEqual(JSON.parse(answer.body), { code, description }, path);
      const asked = status === 401 && path === "/api/private-scoped" ? ', scope="read:messages"' : "";
      assert.equal(answer.headers["WWW-Authenticate"], challenge + asked, path);
      assert.equal(answer.headers["Content-Type"], "application/json", path);
      const at = STEPS.findIndex((name) => name.toLowerCase() === step);
      // Of several issuers, none is that one: nobody looks for a key.
      const skipped = kind === "wrong-issuer" ? ["Key", "Signature", "Times"] : [];
      const states = STEPS.map((name, index) => index > at ? "ahead" : index === at ? "decided bad" : skipped.includes(name) ? "skipped" : "passed");
      assert.deepEqual(line.map(({ state }) => state), states, path);
      assert.match(line[at].said, finding instanceof RegExp ? finding : new RegExp(`^decided here: ${finding}$`), path);
    }
  });
}

test("all at once: a grid of what was expected and what came", async () => {
  const { page } = playground;
  await playground.choose("scoped");
  const own = await playground.token();
  await playground.choose("own");
  await playground.paste(own);
  await page.click("#all");
  await page.waitForFunction(() => !document.querySelector("#all").disabled);
  assert.equal(await page.locator("#tally").innerText(), "51 sent, all as expected. Choose one to see its answer.");
  const grid = await page.locator("#grid tbody tr").evaluateAll((rows) =>
    rows.map((row) => [...row.querySelectorAll("button")].map((cell) => cell.innerText.replaceAll(/\s+/g, " ").trim())));
  const expected = ROWS.map(([, atPrivate, atScoped, step]) => [null, atPrivate, atScoped].map((refusal) => {
    const name = STEPS.find((name) => name.toLowerCase() === step);
    return refusal ? `${REFUSALS[refusal][0]} as expected ${name}` : "200 as expected Endpoint";
  }));
  assert.deepEqual(grid, [...expected, Array(3).fill("200 no expectation Endpoint")]);

  await page.locator("#grid tbody tr").nth(3).locator("button").nth(1).click();
  const answer = await playground.answer();
  assert.deepEqual([answer.status, answer.decided], ["401", "times"]);
  assert.ok(await page.isChecked("#kinds input[value='expired']") && await page.isChecked("#endpoints input[value='/api/private']"));
  assert.equal(await page.evaluate(() => document.activeElement.id), "answer", "the answer has the focus");
});

test("the token is decoded, with what is made of each member", async () => {
  const { page } = playground;
  const rows = () => page.locator("#decoded tbody tr:has(td)").evaluateAll((rows) =>
    Object.fromEntries(rows.map((row) => [row.cells[0].textContent, [...row.cells].slice(1).map((cell) => cell.innerText.replaceAll(/\s+/g, " ").trim())])));
  await playground.choose("expired");
  await playground.endpoint("/api/private-scoped");
  await page.waitForFunction(() => document.querySelector("#decoded").innerText.includes("expired 1 day ago"));
  const expired = await rows();
  assert.deepEqual(expired.alg, ["RS256", "✓ fits: is RS256"]);
  assert.match(expired.kid[1], /names the key that the issuer signs with/);
  assert.match(expired.exp.join(), /^\d+ \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC,✕ does not fit: expired 1 day ago$/);
  assert.match(expired.iat[1], /issued 2 days ago/);
  assert.match(expired.iss[1], /is this tenant/);
  assert.match(expired.aud[1], /names this API/);
  assert.match(expired.scope.join(), /^openid profile email,✕ does not fit: lacks read:messages$/);
  assert.match(expired.azp[1], /not looked at/);
  assert.match(expired.RS256[1], /fits key and content/);

  const text = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const now = Math.floor(Date.now() / 1000);
  const claims = { exp: now - 185, nbf: now + 3700, aud: 5, "<img src=x onerror=alert(1)>": "<script>alert(2)</script>", cnf: {} };
  await playground.paste(`${text({ alg: "HS256", kid: "k", crit: ["b64"] })}.${text(claims)}.AAAA`);
  await page.waitForFunction(() => document.querySelector("#decoded").innerText.includes("minutes ago"));
  assert.ok(await page.isChecked("#kinds input[value='own']"), "what is typed is one's own");
  const own = await rows();
  assert.match(own.alg[1], /must be RS256/);
  assert.match(own.crit[1], /must not be there/);
  assert.match(own.kid[1], /not looked at: it is no token of these issuers/);
  assert.match(own.exp[1], /expired 3 minutes ago/);
  assert.match(own.nbf[1], /good only in 1 hour/);
  assert.match(own.aud[1], /must name https:\/\/quickstarts\/api/);
  assert.match(own.iss[1], /must be http:\/\/127\.0\.0\.1:\d+\/ or http:\/\/127\.0\.0\.1:\d+\/second\/$/);
  assert.match(own.cnf[1], /must not be there/);
  assert.deepEqual(own["<img src=x onerror=alert(1)>"][0], "<script>alert(2)</script>", "a claim is a string, not a part of the page");
  const answer = await playground.send();
  assert.deepEqual([answer.status, answer.decided], ["401", "header"]);

  for (const [pasted, code, decided] of [
    ["opaque", "invalid_header", "header"],
    ["two words", "invalid_header", "bearer"],
    ["a,b", "invalid_header", "bearer"],
    ["", "authorization_header_missing", "bearer"],
  ]) {
    await playground.paste(pasted);
    const answer = await playground.send();
    assert.deepEqual([JSON.parse(answer.body).code, answer.decided], [code, decided], pasted);
  }
  await playground.paste("no\u{1f600}header");
  assert.match((await playground.send()).verdict, /No header can hold this string/);
});

test("kinds of token and forms of scope, as the function judges them", async () => {
  const { page } = playground;
  await playground.endpoint("/api/private-scoped");
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  for (const [claims, name, words] of [
    [{ nonce: null }, "nonce", "fits"],
    [{ nonce: "x" }, "nonce", "must not be there: it makes this an ID token"],
    [{ nonce: "x", typ: "Bearer" }, "nonce", "is in an access token, as typ says"],
    [{ c_hash: "x" }, "c_hash", "must not be there"],
    [{ token_use: "id" }, "token_use", "must be access"],
    [{ typ: "Refresh" }, "typ", "must not say that this is another token"],
    [{ sub: "anon@x" }, "sub", "is of an anonymous session"],
    [{ act: { sub: 5 } }, "act", "must be an actor"],
    [{ act: { sub: "service" } }, "act", "is who acts for sub"],
    [{ scope: ["a", "read:messages"] }, "scope", "grants read:messages"],
    [{ scp: "a read:messages" }, "scp", "grants read:messages"],
    [{ scope: "a", scp: "read:messages" }, "scope", "lacks read:messages"],
  ]) {
    await playground.paste(`${part({ alg: "RS256", kid: "k" })}.${part(claims)}.AAAA`);
    await page.waitForFunction(([name, words]) => [...document.querySelectorAll("#decoded tbody tr:has(td)")].some((row) =>
      row.cells[0].textContent === name && row.cells[2].textContent.includes(words)), [name, words]);
  }
});

// What a function with this setting makes of the kinds that it is about, at the private endpoint and the one with a scope;
// the step that decides at the latter, and what is said there.
const SETTINGS = [
  [{ GRANTS: "permissions" }, [
    ["permissions", 200, 200, "endpoint", /answers/],
    ["scoped", 200, 403, "scope", /lacks read:messages/],
  ]],
  [{ GRANTS: "scope, permissions" }, [
    ["permissions", 200, 200, "endpoint", /answers/],
    ["scoped", 200, 200, "endpoint", /answers/],
    ["valid", 200, 403, "scope", /lacks read:messages/],
  ]],
  [{ EXPECTED_CLAIMS: '{"org_id":["org_other","org_quickstart"]}' }, [
    ["organization", 200, 403, "scope", /lacks read:messages/],
    ["scoped", 401, 401, "claims", /no org_id/],
  ]],
  [{ EXPECTED_CLAIMS: '{"org_id":"org_other"}' }, [["organization", 401, 401, "claims", /org_id is org_quickstart/]]],
  [{ ANONYMOUS_SESSIONS: "allowed" }, [
    ["anonymous", 200, 403, "scope", /lacks read:messages/],
    ["refresh", 401, 401, "claims", /typ is Refresh/],
  ]],
  [{ alone: true }, [
    ["second-issuer", 401, 401, "key", / is not published/],
    ["wrong-issuer", 401, 401, "claims", /another issuer/],
    ["scoped", 200, 200, "endpoint", /answers/],
  ]],
];

for (const [settings, rows] of SETTINGS) {
  test(`what is accepted with ${JSON.stringify(settings)}`, async () => {
    const other = await openTenant(settings);
    const told = await openFunction(other);
    const its = await openPlayground(browser, other);
    const { page } = its;
    try {
      const [setting] = settings.alone ? [] : Object.entries(settings);
      const lede = await page.locator(".lede").innerText();
      assert.equal(lede.includes("It runs with"), setting !== undefined);
      assert.ok(!setting || lede.endsWith(` It runs with ${setting.join("=")}.`), lede);
      for (const [kind, atPrivate, atScoped, step, said] of rows) {
        await its.choose(kind);
        for (const [path, status] of [["/api/private", atPrivate], ["/api/private-scoped", atScoped]]) {
          await its.endpoint(path);
          assert.equal((await its.send()).status, `${status}`, `${kind} ${path}`);
        }
        assert.equal((await its.answer()).decided, step, kind);
        assert.match((await its.line()).find(({ state }) => state.startsWith("decided")).said, said, kind);
      }
      await page.click("#all");
      await page.waitForFunction(() => !document.querySelector("#all").disabled);
      assert.equal(await page.locator("#tally").innerText(), "48 sent, all as expected. Choose one to see its answer.");
    } finally {
      await close(its, told, other);
    }
  });
}

test("where the default refuses, the page names the setting that accepts", async () => {
  const { page } = playground;
  await playground.endpoint("/api/private-scoped");
  for (const [kind, about, needs] of [
    ["permissions", "It needs GRANTS=permissions.", true],
    ["anonymous", "It needs ANONYMOUS_SESSIONS=allowed.", true],
    ["second-issuer", "It needs ISSUERS with both tenants.", false], // which is so here
    ["organization", 'EXPECTED_CLAIMS={"org_id":"org_quickstart"} takes no others.', false],
    ["delegated", "It needs no setting: the endpoint reads who acts.", false],
    ["refresh", "No setting takes it.", false],
  ]) {
    await playground.choose(kind);
    await page.waitForFunction((about) => document.querySelector("#about").innerText.endsWith(about), about);
    assert.equal((await playground.send()).verdict.includes(about), needs, kind);
  }
  const alone = await openTenant({ alone: true });
  const lambda = await openFunction(alone);
  const its = await openPlayground(browser, alone);
  try {
    await its.endpoint("/api/private");
    await its.choose("second-issuer");
    assert.ok((await its.send()).verdict.endsWith("It needs ISSUERS with both tenants."));
  } finally {
    await close(its, lambda, alone);
  }
});

test("claims that a setting is about are judged by it", async () => {
  const other = await openTenant({ GRANTS: "permissions,scope", EXPECTED_CLAIMS: '{"azp":"mine","n":1}', ANONYMOUS_SESSIONS: "allowed" });
  const its = await openPlayground(browser, other);
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  try {
    await its.endpoint("/api/private-scoped");
    for (const [claims, name, words] of [
      [{ permissions: ["read:messages"] }, "permissions", "grants read:messages"],
      [{ permissions: ["read:messages"], scope: "a" }, "scope", "lacks read:messages, which the other claim grants"],
      [{ permissions: "read:messages", scope: "a" }, "permissions", "lacks read:messages"],
      [{ azp: "mine" }, "azp", "is expected"],
      [{ azp: "other" }, "azp", "must be mine"],
      [{ n: "1" }, "n", "must be 1"],
      [{}, "n", "must be 1"],
      [{ sub: "anon@x" }, "sub", "is a string"],
      [{ iss: `${other.origin}/second/` }, "iss", "is an issuer that is trusted"],
      [{ iss: `${other.origin}/second/` }, "kid", "the issuer publishes no such key"],
      [{ iss: "x" }, "kid", "not looked at: it is no token of these issuers"],
    ]) {
      await its.paste(`${part({ alg: "RS256", kid: "k" })}.${part(claims)}.AAAA`);
      await its.page.waitForFunction(([name, words]) => [...document.querySelectorAll("#decoded tbody tr:has(td)")].some((row) =>
        row.cells[0].textContent === name && row.cells[2].textContent.includes(words)), [name, words]);
    }
  } finally {
    await close(its, other);
  }
});

test("where two steps share an answer, the page says how it tells them apart", async () => {
  await playground.endpoint("/api/private");
  await playground.choose("bad-signature");
  assert.match((await playground.send()).verdict, /Header and Signature share this answer. The page read the token, too: does not fit key and content/);
  await playground.choose("valid");
  const [header, ...rest] = (await playground.token()).split(".");
  const twice = Buffer.from(Buffer.from(header, "base64url").toString().replace("{", '{"alg":"RS256",')).toString("base64url");
  await playground.paste([twice, ...rest].join("."));
  const { kid } = JSON.parse(Buffer.from(twice, "base64url"));
  assert.ok(kid, "a member that stands there twice, which JSON.parse does not mind");
  const answer = await playground.send();
  assert.equal(JSON.parse(answer.body).description, "Unable to parse authentication token.");
  // The signature was made over another header, and that the page can see.
  assert.equal(answer.decided, "signature");
});

test("the request as it goes out, and the same for a terminal", async () => {
  const { page } = playground;
  await playground.endpoint("/api/private-scoped");
  for (const [kind, status] of [["valid", "403"], ["scoped", "200"], ["none", "401"]]) {
    await playground.choose(kind);
    const token = await playground.token();
    const sent = await page.locator("#sent").innerText();
    assert.match(sent, /^GET \S*\/api\/private-scoped HTTP\/1\.1\nHost: 127\.0\.0\.1:\d+\nOrigin: http:\/\/127\.0\.0\.1:\d+/);
    assert.equal(sent.includes(`Authorization: Bearer ${token}`), kind !== "none");
    assert.equal((await page.locator("#leave").innerText()).startsWith("OPTIONS "), kind !== "none");
    await page.click("#copy");
    await page.waitForFunction(() => document.querySelector("#copy").textContent === "Copied");
    const line = await page.evaluate(() => navigator.clipboard.readText());
    assert.match(line, /^curl -i http/);
    const { stdout } = await promisify(execFile)("sh", ["-c", `${line} --silent --noproxy '*'`]);
    assert.equal(stdout.split(" ")[1], status, line);
  }
  await playground.paste("it's; $(touch x) `touch y`");
  const line = await page.locator("#curl").innerText();
  const { stdout } = await promisify(execFile)("sh", ["-c", line.replace(/^curl -i \S+ -H/, "printf %s")]);
  assert.equal(stdout, "Authorization: Bearer it's; $(touch x) `touch y`", "a shell takes it for one word");
});

test("what differs from what is expected is said in words, and that the page cannot tell why", async () => {
  const other = await openTenant();
  const stranger = await openFunction(other, { API_AUDIENCE: "https://another.example/api" });
  const its = await openPlayground(browser, other);
  const { page } = its;
  try {
    await page.click("#all");
    await page.waitForFunction(() => !document.querySelector("#all").disabled);
    assert.equal(await page.locator("#tally").innerText(), "48 sent; 12 differ from what a healthy tenant leads to.");
    const differs = await page.locator("#grid .differs").evaluateAll((cells) => cells.map((cell) => cell.innerText.replaceAll(/\s+/g, " ").trim()));
    const [not200, not403] = ["401 differs: not 200 Claims", "401 differs: not 403 Claims"];
    assert.deepEqual(differs, [not200, not403, not200, not200, ...Array(4).fill([not200, not403]).flat()]);
    await page.locator("#grid .differs").first().click();
    assert.match((await its.answer()).verdict, /Times and Claims share this answer. The page finds no fault in either; Claims is the likelier./);
  } finally {
    await close(its, stranger, other);
  }
});

// What the page shows of the discovery by a client of a function with these settings.
async function discover(settings, told = {}) {
  const other = await openTenant(settings);
  let lambda, its;
  try {
    lambda = await openFunction(other, { RESOURCE_URL: other.functionUrl, ...told });
    its = await openPlayground(browser, other);
    await its.page.click("#discover");
    await its.page.waitForFunction(() => document.querySelector("#discovered").innerText !== "Not asked yet.");
    const steps = await its.page.locator("#discovery li").evaluateAll((steps) =>
      steps.map((step) => [step.className, step.querySelector("b").textContent, step.querySelector(".note").textContent]));
    return { said: await its.page.locator("#discovered").innerText(), steps, api: other.functionUrl, issuer: `${other.origin}/` };
  } finally {
    await close(its, lambda, other);
  }
}

const AHEAD = [
  ["Challenge", "names a document and a scope"],
  ["Document", "names the authorization servers and the scopes"],
  ["Issuer", "says where its endpoints are"],
  ["Token", "with the scope of the challenge"],
  ["Call again", "with the token"],
];

const ahead = (count) => AHEAD.slice(-count).map((step) => ["ahead", ...step]);

test("the discovery leads from the 401 to the document, the issuer, a token and 200", async () => {
  const { said, steps, api, issuer } = await discover({});
  assert.deepEqual(steps, [
    ["passed", "Call", `done: GET ${api}/api/private-scoped is answered with 401.`],
    ["passed", "Challenge", `done: resource_metadata is ${api}/.well-known/oauth-protected-resource, and scope is read:messages.`],
    ["passed", "Document", `done: Read across origins. resource is ${api}, authorization_servers has ${issuer} and ${issuer}second/, and scopes_supported has read:messages.`],
    ["passed", "Issuer", `done: Read at ${issuer}.well-known/openid-configuration. authorization_endpoint is ${issuer}authorize, and token_endpoint is ${issuer}oauth/token.`],
    ["passed", "Token", "done: Its scope is read:messages."],
    ["decided good", "Call again", "done: The answer is 200."],
  ]);
  assert.equal(said, "From the URL to 200: the client was told nothing else.");
});

test("where the discovery stops, the page says why in a sentence", async () => {
  for (const [settings, told, stop, sentence] of [
    [{}, { RESOURCE_URL: "off" }, 1, /^The challenge names no document: the function runs with RESOURCE_URL=off, or with auto where no gateway gives an address\.$/],
    [{}, { RESOURCE_URL: "https://api.example" }, 2, /^The page cannot read https:\/\/api\.example\/\.well-known\/oauth-protected-resource: it may ask nobody but http:\/\/127\.0\.0\.1:\d+\.$/],
    [{}, { ISSUERS: "https://another.example/" }, 2, /^The stand-in tenant is not among the document’s authorization_servers\.$/],
    [{ GRANTS: "permissions" }, {}, 5, /^The answer is 403\. The code Unauthorized says so: lacks read:messages\.$/],
  ]) {
    const { said, steps } = await discover(settings, told);
    assert.match(said, sentence);
    assert.deepEqual(steps.slice(0, stop).map(([state]) => state), Array(stop).fill("passed"), said);
    const [name, what] = AHEAD[stop - 1];
    assert.deepEqual(steps.slice(stop), [["decided bad", name, `stopped here: ${what}`], ...stop < 5 ? ahead(5 - stop) : []], said);
  }
});
