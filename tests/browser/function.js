// Settings -> the function that `cargo test` built, behind a gateway.

import { openGateway } from "./gateway.js";
import { BUILT, answers, end, run, until } from "./processes.js";

/** The gateway listens at this port. What the function logs is in `process.output`. */
export async function openLambda(port, settings) {
  const gateway = await openGateway(port);
  const process = run(`${BUILT}/api-authorization`, [], {
    AWS_LAMBDA_RUNTIME_API: gateway.runtimeApi,
    AWS_LAMBDA_FUNCTION_NAME: "api-authorization",
    AWS_LAMBDA_FUNCTION_VERSION: "$LATEST",
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: "128",
    ...settings,
  });
  const close = async () => { await end(process); await gateway.close(); };
  try {
    await until(() => answers(`http://127.0.0.1:${port}/api/public`), process);
  } catch (error) {
    await close();
    throw error;
  }
  return { process, close };
}
