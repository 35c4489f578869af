// Free ports -> a stand-in tenant with its page, the function behind a gateway, and a browser. All end with `close`.

import { chromium } from "playwright-core";
import { openLambda } from "./function.js";
import { BUILT, ROOT, answers, end, freePort, run, until } from "./processes.js";

export { ROOT, close, end, freePort, run, until } from "./processes.js";

/**
 * The tenant and a second one, as `make start` runs them, for a function with these settings. Its page is at `origin`, and
 * looks for the function at `functionUrl`. Where the tenant is `alone`, the function trusts no second one.
 */
export async function openTenant({ alone = false, ...settings } = {}) {
  const [port, functionPort] = [await freePort(), await freePort()];
  const functionUrl = `http://127.0.0.1:${functionPort}`;
  const origin = `http://127.0.0.1:${port}`;
  const issuers = alone
    ? { AUTH0_DOMAIN: `127.0.0.1:${port}`, JWKS_URI: `${origin}/.well-known/jwks.json` }
    : { ISSUERS: `${origin}/,${origin}/second/` };
  const environment = { API_AUDIENCE: "https://quickstarts/api", ...issuers, ...settings };
  const tenant = run(`${BUILT}/tenant`, [], { TENANT_PORT: port, FUNCTION_URL: functionUrl, ...environment });
  await until(() => answers(`${origin}/playground/tenant`), tenant);
  const turn = async (path) => (await fetch(`${origin}/playground/${path}`, { method: "POST" })).json();
  return { origin, functionUrl, functionPort, environment, turn, close: () => end(tenant) };
}

/** The function for this tenant. Of what is `changed` for it, the page is not told. */
export async function openFunction({ functionPort, environment }, changed = {}) {
  return openLambda(functionPort, {
    ...environment,
    ...changed,
  });
}

/** What `make start` starts, at these ports and with these settings, once it has said where the page is. */
export async function openStart(settings) {
  const { CARGO_TARGET_DIR, CARGO_HOME, RUSTUP_HOME } = process.env;
  const environment = Object.entries({ ...settings, CARGO_TARGET_DIR, CARGO_HOME, RUSTUP_HOME });
  const start = run(`${ROOT}scripts/start`, [], Object.fromEntries(environment.filter(([, value]) => value !== undefined)));
  // The first time, it has something to build.
  await until(() => start.output.includes("Ctrl-C ends all."), start, 1200);
  const [page] = start.output.match(/http:\/\/[^\s']+/);
  return { process: start, page, origin: page.replace(/\/$/, "") };
}

/** Chromium, headless, which talks to this machine alone. */
export async function openBrowser() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
    args: [
      "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
      "--disable-background-networking", "--disable-component-update", "--disable-sync",
    ],
  });
}
