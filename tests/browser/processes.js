// Commands -> processes that end with the test; and what is waited for while they start.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** Where `cargo test` puts what it builds. */
export const BUILT = `${process.env.CARGO_TARGET_DIR ?? `${ROOT}target`}/debug`;

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

/** Ends it, and all that it started. */
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

/** Whether something answers there, and well. */
export const answers = (url) => fetch(url, { signal: AbortSignal.timeout(5_000) }).then(({ ok }) => ok, () => false);

/** A port that nothing listens at. */
export async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}
