// An OpenID provider on loopback. Each line of standard input configures it anew; `ready` answers it.
import http from 'node:http';
import readline from 'node:readline';
import { pathToFileURL } from 'node:url';

const installed = `${process.argv[2]}/node_modules/oidc-provider/lib/index.js`;
const { Provider } = await import(pathToFileURL(installed).href);

function provider(issuer, { client, accounts, jwks, inIdToken, methods }) {
  const made = new Provider(issuer, {
    clients: [{
      response_types: ['code'],
      grant_types: ['authorization_code'],
      ...client,
    }],
    claims: {
      openid: ['sub'],
      email: ['email', 'email_verified'],
      profile: ['preferred_username'],
      groups: ['groups', 'realm_access'],
    },
    conformIdTokenClaims: !inIdToken,
    cookies: { keys: ['loopback'] },
    jwks,
    ...(methods ? { clientAuthMethods: methods } : {}),
    features: { backchannelLogout: { enabled: true } },
    // Its own guard lets it reach nothing on loopback, where its client is here.
    fetch: (url, options) => globalThis.fetch(url, { ...options, dispatcher: undefined, signal: undefined }),
    pkce: { required: () => true },
    findAccount: (_, id) => (id in accounts
      ? { accountId: id, claims: () => ({ sub: id, ...accounts[id] }) }
      : undefined),
    // Nobody is asked for consent.
    async loadExistingGrant(ctx) {
      const { Client, Session } = ctx.oidc.entities;
      const grant = new ctx.oidc.provider.Grant({ clientId: Client.clientId, accountId: Session.accountId });
      grant.addOIDCScope(ctx.oidc.params.scope);
      await grant.save();
      return grant;
    },
  });
  return made.callback();
}

let handle = (_, answer) => answer.writeHead(503).end();
const server = http.createServer((request, answer) => handle(request, answer));
server.listen(0, '127.0.0.1', async () => {
  const issuer = `http://127.0.0.1:${server.address().port}`;
  console.log(issuer);
  for await (const line of readline.createInterface({ input: process.stdin })) {
    handle = provider(issuer, JSON.parse(line));
    console.log('ready');
  }
  process.exit(0);
});
