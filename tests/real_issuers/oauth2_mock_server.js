// npm's oauth2-mock-server -> an issuer on this machine, and its tokens.

import { OAuth2Server } from "oauth2-mock-server";
import { codeGrant, tokens } from "./client.js";

export async function openOauth2MockServer() {
  const server = new OAuth2Server();
  await server.issuer.keys.generate("RS256");
  await server.start(0, "127.0.0.1");
  const issuer = server.issuer.url; // http://localhost:…
  const endpoints = { authorize: `${issuer}/authorize`, token: `${issuer}/token` };
  return {
    issuer,
    /** To a machine. The audience that it asks for is `aud`. */
    toMachine: (form) => tokens(endpoints.token, { grant_type: "client_credentials", ...form }),
    /** To a page with its user, who is not asked anything. */
    toPage: ({ scope, ...parameters }) => codeGrant(endpoints, { client_id: "page", ...parameters }, {}, { scope }),
    /** From now on, access tokens to a page have this audience: its documentation shows how. */
    setAudience: (aud) => server.service.on("beforeTokenSigning", ({ payload }) => { payload.aud ??= aud; }),
    close: () => server.stop(),
  };
}
