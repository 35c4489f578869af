// Clients, and their users -> access tokens: an authorization server on loopback that nobody has told of its clients before.

import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import Provider from "oidc-provider";

/**
 * Listens at this port, and issues tokens for this resource alone: compared to the letter, as Auth0 compares an API's identifier.
 * With `refreshTokens`, each client gets one.
 */
export async function openIssuer(port, resource, { refreshTokens = false } = {}) {
  const issuer = `http://127.0.0.1:${port}`;
  const asked = []; // what clients asked their users for: scope and resource
  const provider = new Provider(issuer, {
    jwks: { keys: [signingKey()] },
    cookies: { keys: ["a key of this test"] },
    scopes: ["openid", "offline_access"],
    findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
    issueRefreshToken: (_, client) => refreshTokens && client.grantTypeAllowed("refresh_token"),
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    features: {
      devInteractions: { enabled: false },
      registration: { enabled: true },
      resourceIndicators: {
        enabled: true,
        useGrantedResource: () => true,
        getResourceServerInfo: (_, wanted) => {
          if (wanted !== resource) throw new Error(`a token for ${wanted} was asked for, and there are those for ${resource}`);
          return {
            scope: "read:messages write:messages", audience: resource, accessTokenTTL: 600,
            accessTokenFormat: "jwt", jwt: { sign: { alg: "RS256" } },
          };
        },
      },
    },
  });
  provider.on("server_error", (_, error) => console.error(error));

  const answer = provider.callback();
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url, issuer);
    if (pathname === "/auth") asked.push({ scope: searchParams.get("scope"), resource: searchParams.getAll("resource") });
    if (pathname.startsWith("/interaction/")) return agree(provider, request, response);
    // Auth0 has a scope where a client asks for none, and oidc-provider refuses.
    if (pathname === "/auth" && !searchParams.has("scope")) request.url += "&scope=openid";
    // Auth0 does not keep a client to the scope that it registered with, and oidc-provider would.
    if (pathname === "/reg") request.body = { ...JSON.parse(await text(request)), scope: undefined };
    return answer(request, response);
  }).listen(port, "127.0.0.1");
  await once(server, "listening");
  const close = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { issuer, asked, close };
}

/** The user logs in, and agrees to all that the client asks for. */
async function agree(provider, request, response) {
  const { prompt, params, session, grantId } = await provider.interactionDetails(request, response);
  if (prompt.name === "login") return provider.interactionFinished(request, response, { login: { accountId: "ada" } });
  const { Grant } = provider;
  const grant = await Grant.find(grantId ?? "") ?? new Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(prompt.details.missingOIDCScope?.join(" ") ?? "");
  for (const [resource, scopes] of Object.entries(prompt.details.missingResourceScopes ?? {})) {
    grant.addResourceScope(resource, scopes.join(" "));
  }
  return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
}

function signingKey() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), kid: "one", alg: "RS256", use: "sig" };
}

async function text(request) {
  let text = "";
  for await (const part of request.setEncoding("utf8")) text += part;
  return text;
}
