// PyPI's nanoidp -> an issuer on this machine, and its tokens.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { answers, end, freePort, run, until } from "../browser/processes.js";
import { CALLBACK, codeGrant, tokens } from "./client.js";

const PYTHON = fileURLToPath(new URL(".venv/bin/python", import.meta.url));

/** Its tokens are for this audience, unless a client asks for another. */
export async function openNanoidp(audience) {
  const port = await freePort();
  const issuer = `http://127.0.0.1:${port}`;
  const folder = await mkdtemp(join(tmpdir(), "nanoidp-"));
  // It reads YAML, and JSON is YAML.
  await writeFile(join(folder, "settings.yaml"), JSON.stringify({
    config_version: 1,
    oauth: {
      issuer: `${issuer}/`, // it cuts the slash off
      audience,
      scopes_supported: ["openid", "offline_access", "read:messages"],
      clients: [
        { client_id: "machine", client_secret: "secret" },
        { client_id: "page", token_endpoint_auth_method: "none", redirect_uris: [CALLBACK] },
      ],
    },
    jwt: { keys_dir: join(folder, "keys") },
  }));
  await writeFile(join(folder, "users.yaml"), JSON.stringify({
    config_version: 1, users: { ada: { password: "secret", email: "ada@example.org" } },
  }));
  const server = run(PYTHON, ["-m", "nanoidp", "--config", folder, "--strict-config", "--host", "127.0.0.1", "--port", port], {});
  const close = async () => {
    await end(server);
    await rm(folder, { recursive: true });
  };
  try {
    await until(() => answers(`${issuer}/.well-known/openid-configuration`), server);
  } catch (error) {
    await close();
    throw error;
  }

  const endpoints = { authorize: `${issuer}/authorize`, token: `${issuer}/token` };
  return {
    issuer,
    /** To a machine: the client credentials grant. */
    toMachine: (form) => tokens(endpoints.token, { grant_type: "client_credentials", ...form }, { client: "machine", secret: "secret" }),
    /** To a page with its user. */
    toPage: (parameters) => codeGrant(endpoints, { client_id: "page", ...parameters }, { fields: { username: "ada", password: "secret" } }),
    close,
  };
}
