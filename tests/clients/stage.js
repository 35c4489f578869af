// A binary and a path of its URL -> the function behind a gateway, for an authorization server. All end with `close`.

import { openGateway } from "../browser/gateway.js";
import { BUILT, end, freePort, run, until } from "../browser/processes.js";
import { openIssuer } from "./issuer.js";

/**
 * The function, `api-authorization` or an example, for the length of a test. Its resource is its origin with `path`; `asked` has
 * what clients asked their users for.
 */
export async function withStage(test, binary, path, options, body) {
  const stage = await openStage(binary, path, options);
  test.after(() => stage.close());
  await body(stage);
}

async function openStage(binary, path, options) {
  const [port, issuerPort] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${port}`;
  const resource = `${url}${path}`;
  const issuer = await openIssuer(issuerPort, resource, options);
  const gateway = await openGateway(port, options);
  const child = run(`${BUILT}/${binary}`, [], {
    AWS_LAMBDA_RUNTIME_API: gateway.runtimeApi,
    AWS_LAMBDA_FUNCTION_NAME: binary,
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "128",
    ISSUERS: issuer.issuer,
    API_AUDIENCE: resource,
    RESOURCE_URL: resource,
  });
  await until(() => fetch(url).then(({ status }) => status === 404, () => false), child);
  return {
    url, resource, asked: issuer.asked,
    close: async () => {
      await end(child);
      await Promise.all([gateway.close(), issuer.close()]);
    },
  };
}

/** What a token says. */
export const claims = (token) => JSON.parse(Buffer.from(token.split(".")[1], "base64url"));
