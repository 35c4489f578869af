// Free ports -> a stand-in tenant with its page, the function behind a gateway, and a browser. All end with `close`.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { openGateway } from "./gateway.js";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const BUILT = `${process.env.CARGO_TARGET_DIR ?? `${ROOT}target`}/debug`;

/** The tenant. Its page is at `origin`, and looks for the function at `functionUrl`. */
export async function openTenant() {
  const [port, functionPort] = [await freePort(), await freePort()];
  const functionUrl = `http://127.0.0.1:${functionPort}`;
  const tenant = run(`${BUILT}/tenant`, [], { TENANT_PORT: port, FUNCTION_URL: functionUrl });
  const origin = `http://127.0.0.1:${port}`;
  await until(() => answers(`${origin}/playground/tenant`), tenant);
  const turn = async (path) => (await fetch(`${origin}/playground/${path}`, { method: "POST" })).json();
  return { origin, functionUrl, functionPort, turn, close: () => end(tenant) };
}

/** The function for this tenant: the binary that `cargo test` built, behind a gateway. */
export async function openFunction({ origin, functionUrl, functionPort }, environment = {}) {
  const gateway = await openGateway(functionPort);
  const binary = run(`${BUILT}/api-authorization`, [], {
    AWS_LAMBDA_RUNTIME_API: gateway.runtimeApi,
    AWS_LAMBDA_FUNCTION_NAME: "api-authorization",
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "128",
    AUTH0_DOMAIN: new URL(origin).host,
    API_AUDIENCE: "https://quickstarts/api",
    JWKS_URI: `${origin}/.well-known/jwks.json`,
    ...environment,
  });
  await until(() => answers(`${functionUrl}/api/public`), binary);
  return { close: async () => { await end(binary); await gateway.close(); } };
}

/** What `make start` starts, at these ports, once it has said where the page is. */
export async function openStart(ports) {
  const { CARGO_TARGET_DIR, CARGO_HOME, RUSTUP_HOME } = process.env;
  const environment = Object.entries({ ...ports, CARGO_TARGET_DIR, CARGO_HOME, RUSTUP_HOME });
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

/** Closes all of these that were opened, in this order, whatever becomes of one. */
export async function close(...opened) {
  const ends = [];
  for (const one of opened.filter(Boolean)) ends.push(...await Promise.allSettled([one.close()]));
  const failed = ends.find(({ status }) => status === "rejected");
  if (failed) throw failed.reason;
}

/** Starts a command in a process group of its own, so that what it starts in turn ends with it. */
export function run(command, parameters, environment) {
  const { PATH, HOME } = process.env;
  const env = { PATH, HOME, ...environment };
  const child = spawn(command, parameters, { cwd: ROOT, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  child.output = "";
  child.on("error", (error) => { child.output += `${error}\n`; });
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data) => { child.output += data; });
  running.add(child);
  return child;
}

export async function end(child, signal = "SIGTERM") {
  running.delete(child);
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  process.kill(-child.pid, signal);
  await ended;
}

const running = new Set();
process.on("exit", () => {
  for (const { pid } of running) {
    try {
      process.kill(-pid, "SIGTERM");
    } catch { /* it has ended by itself */ }
  }
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));

/** Waits for a condition; says what a process printed where it does not come true. */
export async function until(holds, child, seconds = 60) {
  const deadline = Date.now() + seconds * 1000;
  while (!await holds()) {
    const ended = child && (child.pid === undefined || child.exitCode !== null);
    if (ended || Date.now() > deadline) throw new Error(`it did not come true: ${holds}\n${child?.output ?? ""}`);
    await sleep(50);
  }
}

const answers = (url) => fetch(url, { signal: AbortSignal.timeout(5_000) }).then(({ ok }) => ok, () => false);

export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}
