// An API Gateway event -> an answer, by aws-jwt-verify as its README shows it. With HYDRATE set, the keys are fetched in
// the init phase.
import { JwtVerifier } from "aws-jwt-verify";

const issuer = `https://${process.env.AUTH0_DOMAIN}/`;
const verifier = JwtVerifier.create({
    issuer,
    audience: process.env.API_AUDIENCE,
    jwksUri: `${issuer}.well-known/jwks.json`,
});
if (process.env.HYDRATE) await verifier.hydrate();

export async function handler(event) {
    const [scheme, token] = (event.headers.authorization ?? "").split(" ");
    if (scheme.toLowerCase() !== "bearer" || !token) return answer(401, { message: "Unauthorized" });
    try {
        await verifier.verify(token);
    } catch {
        return answer(401, { message: "Unauthorized" });
    }
    return answer(200, {
        message: "Hello from a private endpoint! You need to be authenticated to see this.",
    });
}

function answer(statusCode, body) {
    return { statusCode, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
}
