// npm's @simulacrum/auth0-simulator -> a tenant on this machine, and its tokens.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { codeGrant, filled, tokens } from "./client.js";

const USER = { id: "auth0|ada", name: "Ada", email: "ada@example.org", password: "secret" };

/** Its tokens are for this audience, unless a client asks for another. */
export async function openAuth0Simulator(audience) {
  // It reads the certificate from the home folder. Its command line would listen on all interfaces.
  const home = mkdtempSync(join(tmpdir(), "auth0-simulator-"));
  process.env.HOME = home;
  const certificate = certify(join(home, ".simulacrum", "certs"));
  const { simulation } = createRequire(import.meta.url)("@simulacrum/auth0-simulator");
  const scope = [
    { clientID: "page", scope: "openid profile email offline_access read:messages" },
    { clientID: "machine", scope: "write:messages" },
  ];
  const app = simulation({ options: { audience, clientID: "page", scope }, initialState: { users: [USER] } });
  const { port, ensureClose } = await app.listen(0, "127.0.0.1");

  const domain = `localhost:${port}`;
  const ca = readFileSync(certificate);
  const endpoints = { authorize: `https://${domain}/authorize`, token: `https://${domain}/oauth/token`, ca };
  return {
    domain,
    certificate,
    /** To a machine: the client credentials grant. */
    toMachine: (form) => tokens(endpoints.token, { grant_type: "client_credentials", client_id: "machine", ...form }, { ca }),
    /** To a page with its user. */
    toPage: (parameters) => codeGrant(endpoints, { client_id: "page", ...parameters }, { page }, { audience: parameters.audience ?? audience }),
    close: async () => {
      await ensureClose();
      rmSync(home, { recursive: true });
    },
  };
}

// The page of the login asks by script; the one after it has a form.
function page(answer) {
  const { pathname, origin, searchParams } = new URL(answer.url);
  if (pathname !== "/login") return filled(answer, {});
  const { nonce, scope, audience, redirect_uri, state } = Object.fromEntries(searchParams);
  const form = { username: USER.email, password: USER.password, nonce, scope, audience, redirect_uri, state, client_id: "page" };
  return { url: `${origin}/usernamepassword/login`, form };
}

// A certificate for localhost that signs for itself. Without the second extension it would be a CA's, and no server's.
function certify(folder) {
  mkdirSync(folder, { recursive: true });
  const certificate = join(folder, "localhost.pem");
  execFileSync("openssl", [
    "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=localhost",
    "-addext", "subjectAltName=DNS:localhost", "-addext", "basicConstraints=critical,CA:FALSE",
    "-keyout", join(folder, "localhost-key.pem"), "-out", certificate,
  ], { stdio: "ignore" });
  return certificate;
}
