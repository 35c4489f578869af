// An API Gateway event -> an answer, by Auth0's own middleware for Express as its README shows it.
import express from "express";
import { auth } from "express-oauth2-jwt-bearer";
import serverless from "serverless-http";

const app = express();
const authorised = auth({
    issuerBaseURL: `https://${process.env.AUTH0_DOMAIN}/`,
    audience: process.env.API_AUDIENCE,
});
app.get("/api/private", authorised, (_request, response) => {
    response.json({ message: "Hello from a private endpoint! You need to be authenticated to see this." });
});

export const handler = serverless(app);
