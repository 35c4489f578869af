// Settings and tokens -> what the function makes of them.

import assert from "node:assert/strict";
import { openLambda } from "../browser/function.js";
import { freePort, until } from "../browser/processes.js";

export { close } from "../browser/processes.js";

export const AUDIENCE = "https://quickstarts/api";
export const ANOTHER_AUDIENCE = "https://another.example/api";
export const [PRIVATE, SCOPED] = ["/api/private", "/api/private-scoped"];

/** What becomes of a token: the status, the body, and the reason in the log. */
export const ACCEPTED = {
  [PRIVATE]: { status: 200, message: "Hello from a private endpoint! You need to be authenticated to see this." },
  [SCOPED]: { status: 200, message: "Hello from a private endpoint! You need to be authenticated and have a scope of read:messages to see this." },
};
export const OUT_OF_SCOPE = { status: 403, code: "Unauthorized", description: "You don't have access to this resource", reason: "insufficient_scope" };
export const OPAQUE = { ...refused("invalid_header", "Unable to parse authentication token."), reason: "opaque_token" };
export const UNKNOWN_KEY = { ...refused("invalid_header", "Unable to find appropriate key"), reason: "unknown_kid" };
/** The claims are wrong, for this reason. */
export const wrong = (reason) => ({ ...refused("invalid_claims", "incorrect claims,please check the audience and issuer"), reason });

function refused(code, description) {
  return { status: 401, code, description };
}

// The function with these settings.
async function openFunction(settings) {
  const port = await freePort();
  const { process, close } = await openLambda(port, { API_AUDIENCE: AUDIENCE, ...settings });
  // The gateway hands over one request at a time, and each writes one line. The first was for /api/public.
  const requests = () => logged(process).filter(({ message }) => message === "request");
  let asked = requests().length;

  const ask = async (path, token) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { Authorization: `Bearer ${token}` } });
    const body = await answer.json();
    asked += 1;
    await until(() => requests().length === asked, process);
    const { reason } = requests().at(-1);
    return { status: answer.status, ...body, ...(reason && { reason }) };
  };

  const decides = async (rows) => {
    for (const [token, path, expected, row] of rows) {
      assert.ok(token, `${row}: there is no such token`);
      assert.deepEqual(await ask(path, token), expected[path] ?? expected, row);
    }
  };
  /** Why keys could not be fetched, one word for each fetch. */
  const faults = () => logged(process).filter(({ message }) => message === "JWKS not fetched").map(({ reason }) => reason);
  return { decides, faults, close };
}

function logged({ output }) {
  return output.split("\n").slice(0, -1).map((line) => JSON.parse(line).fields);
}

/** With the function set so, sends it these rows: a token, a path, what becomes of both, and what the row is about. Its
 * fetches of keys fail for these reasons. */
export async function decides(settings, rows, faults = []) {
  const api = await openFunction(settings);
  try {
    await api.decides(rows);
    assert.deepEqual(api.faults(), faults);
  } finally {
    await api.close();
  }
}
