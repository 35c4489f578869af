// npm's oidc-provider -> an issuer on this machine, and its tokens.

import { generateKeyPairSync, sign } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { Provider } from "oidc-provider";
import { freePort } from "../browser/processes.js";
import { CALLBACK, codeGrant, tokens } from "./client.js";

/** Its URL ends in this path, which may be a slash alone. */
export async function openOidcProvider(path = "") {
  const origin = `http://127.0.0.1:${await freePort()}`;
  const issuer = origin + path;
  const mount = path.replace(/\/$/, "");
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const key = { ...privateKey.export({ format: "jwk" }), kid: `key of ${origin}`, use: "sig", alg: "RS256" };
  const provider = new Provider(issuer, {
    jwks: { keys: [key] },
    clients: [
      { client_id: "machine", client_secret: "secret", grant_types: ["client_credentials"], redirect_uris: [], response_types: [] },
      {
        client_id: "page", token_endpoint_auth_method: "none", redirect_uris: [CALLBACK], application_type: "native",
        grant_types: ["authorization_code", "refresh_token"],
      },
    ],
    cookies: { keys: ["secret"] },
    findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    ttl: { AccessToken: 3600, ClientCredentials: 3600, Grant: 3600, IdToken: 3600, Interaction: 3600, RefreshToken: 3600, Session: 3600 },
    features: {
      clientCredentials: { enabled: true },
      // Without this, its access tokens are opaque.
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_, resource) => ({
          audience: resource, scope: "read:messages", accessTokenFormat: "jwt", jwt: { sign: { alg: "RS256" } },
        }),
      },
    },
  });
  const answer = provider.callback();
  const server = createServer((request, response) => {
    if (!request.url.startsWith(`${mount}/`)) return response.writeHead(404).end();
    request.originalUrl = request.url; // by both, it tells where it is mounted
    request.url = request.url.slice(mount.length);
    return answer(request, response);
  }).listen(new URL(origin).port, "127.0.0.1");
  await once(server, "listening");

  const endpoints = { authorize: `${origin}${mount}/auth`, token: `${origin}${mount}/token` };
  return {
    issuer,
    kid: key.kid,
    /** To a machine: the client credentials grant. */
    toMachine: (form) => tokens(endpoints.token, { grant_type: "client_credentials", ...form }, { client: "machine", secret: "secret" }),
    /** To a page with its user. The resource is asked for at both endpoints: the token endpoint takes none over. */
    toPage: ({ resource, ...parameters }) => codeGrant(endpoints,
      { client_id: "page", prompt: "consent", ...parameters, ...(resource && { resource }) },
      { fields: { login: "ada", password: "any" } }, resource && { resource }),
    /** What its key signs. */
    signed: (claims) => {
      const text = [{ alg: "RS256", kid: key.kid }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
      return `${text}.${sign("RSA-SHA256", Buffer.from(text), privateKey).toString("base64url")}`;
    },
    close: () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }),
  };
}
