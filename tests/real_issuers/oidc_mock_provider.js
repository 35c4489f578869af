// npm's @mongodb-js/oidc-mock-provider -> an issuer on this machine, and its tokens.

import { OIDCMockProvider } from "@mongodb-js/oidc-mock-provider";
import { codeGrant, tokens } from "./client.js";

/** Its access tokens have these claims, too. */
export async function openOidcMockProvider(claims) {
  const provider = await OIDCMockProvider.create({
    hostname: "localhost", // without one, it listens on all interfaces
    getTokenPayload: () => ({ expires_in: 3600, payload: { sub: "ada", ...claims() } }),
  });
  const { issuer } = provider;
  return {
    issuer,
    /** To a page with its user, who is not asked anything. */
    toPage: (parameters) => codeGrant({ authorize: `${issuer}/authorize`, token: `${issuer}/token` }, { client_id: "page", ...parameters }, {}),
    /** To a device without a browser. */
    toDevice: async (form) => {
      const { device_code } = await tokens(`${issuer}/device`, { client_id: "device", ...form });
      return tokens(`${issuer}/token`, { grant_type: "urn:ietf:params:oauth:grant-type:device_code", client_id: "device", device_code });
    },
    close: () => provider.close(),
  };
}
