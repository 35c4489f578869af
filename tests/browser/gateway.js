// HTTP requests -> events for the function, and its responses -> HTTP answers: an HTTP API (payload 2.0) of the simplest
// kind, with the Runtime API behind it that the function asks for its events.

import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

/**
 * Listens at this port. The function finds its Runtime API at `runtimeApi`. With `renamesChallenge`, callers find its challenge
 * under the name that a REST API and a Function URL give it.
 */
export async function openGateway(port, { renamesChallenge = false } = {}) {
  const events = [];         // that the function has not asked for yet
  const askers = [];         // the function's own requests, while there is no event
  const callers = new Map(); // id of an event -> who waits for the answer

  const handOver = () => {
    while (events.length && askers.length) {
      const { id, event } = events.shift();
      askers.shift().writeHead(200, {
        "Lambda-Runtime-Aws-Request-Id": id,
        "Lambda-Runtime-Deadline-Ms": `${Date.now() + 30_000}`,
        "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:eu-central-1:123456789012:function:api-authorization",
      }).end(event);
    }
  };

  const front = await listen(port, async (request, caller) => {
    const id = randomUUID();
    callers.set(id, caller);
    events.push({ id, event: JSON.stringify(eventOf(request, id, await text(request))) });
    handOver();
  });

  const runtime = await listen(0, async (request, asker) => {
    if (request.url.endsWith("/invocation/next")) {
      askers.push(asker);
      return handOver();
    }
    const [, id, outcome] = request.url.match(/([^/]+)\/(response|error)$/);
    const body = await text(request);
    const caller = callers.get(id);
    callers.delete(id);
    if (outcome === "response") answer(caller, JSON.parse(renamesChallenge ? body.replaceAll('"www-authenticate":', RENAMED) : body));
    else caller?.writeHead(502).end(); // the start or an invocation has failed; a start has no caller
    asker.writeHead(202).end();
  });

  const close = () => Promise.all([front, runtime].map((server) => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  }));
  return { runtimeApi: `127.0.0.1:${runtime.address().port}`, close };
}

const RENAMED = '"x-amzn-remapped-www-authenticate":';

async function listen(port, answer) {
  const server = createServer(answer).listen(port, "127.0.0.1");
  server.keepAliveTimeout = 0; // Lambda's own keeps a connection while a function works; a wait for keys takes 6 s
  await once(server, "listening");
  return server;
}

function eventOf({ method, url, headers, httpVersion }, requestId, body) {
  const [path, query = ""] = url.split("?");
  const host = headers.host ?? "";
  return {
    version: "2.0", routeKey: "$default", rawPath: path, rawQueryString: query, headers,
    requestContext: {
      accountId: "123456789012", apiId: "api", domainName: host, domainPrefix: "api",
      http: { method, path, protocol: `HTTP/${httpVersion}`, sourceIp: "127.0.0.1", userAgent: headers["user-agent"] ?? "" },
      requestId, routeKey: "$default", stage: "$default", time: new Date().toUTCString(), timeEpoch: Date.now(),
    },
    body: body || undefined, isBase64Encoded: false,
  };
}

function answer(caller, { statusCode, headers, multiValueHeaders, body }) {
  caller.writeHead(statusCode, { ...multiValueHeaders, ...headers }).end(body ?? "");
}

async function text(request) {
  let text = "";
  for await (const part of request.setEncoding("utf8")) text += part;
  return text;
}
