// An OpenID provider that somebody else wrote, for tests: it insists on PKCE and knows one client.
// node server.mjs PORT ISSUER REDIRECT_URI [COOP]

import Provider from "oidc-provider";

const [port, issuer, redirectUri, coop] = process.argv.slice(2);

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "commentsvc",
      client_secret: "a-secret-between-the-two-of-them",
      redirect_uris: [redirectUri],
      token_endpoint_auth_method: "client_secret_post",
    },
  ],
  pkce: { required: () => true },
  claims: { openid: ["sub"], profile: ["name"], email: ["email", "email_verified"] },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, name: `${id} Example`, email: `${id}@example.org`, email_verified: true }) }),
  cookies: { keys: ["only for tests"] },
});

provider.use(async (context, next) => {
  await next();
  if (coop) context.set("Cross-Origin-Opener-Policy", coop);
});

provider.listen(Number(port), new URL(issuer).hostname, () => console.log("ready"));
