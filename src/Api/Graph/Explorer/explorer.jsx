// The page of /graphql: signs in by the session cookie, and shows GraphiQL.
import 'graphiql/graphiql.css';
import './explorer.css';
import { GraphiQL } from 'graphiql';
import { createClient } from 'graphql-ws';
import { parse } from 'graphql';
import { useEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';

const api = '/api/v1';
const address = location.origin.replace('http', 'ws') + api + '/graphql';

async function call(method, path, body, csrf) {
  const headers = { accept: 'application/json', ...(body && { 'content-type': 'application/json' }), ...(csrf && { 'x-csrf-token': csrf }) };
  const answer = await fetch(api + path, { method, headers, body: body && JSON.stringify(body) });
  return answer.status === 204 ? {} : answer.json();
}

/** Whether the operation that a request names is a subscription. */
function isSubscription({ query, operationName }) {
  const operations = parse(query).definitions.filter(({ kind }) => kind === 'OperationDefinition');
  return (operations.find(({ name }) => name?.value === operationName) ?? operations[0])?.operation === 'subscription';
}

/** Sends queries and mutations by POST, and subscriptions over a WebSocket, which has the cookie of the page. */
function fetcherOf(csrf, signOut) {
  const socket = createClient({ url: address, lazy: true });
  return async (request) => {
    if (isSubscription(request)) return socket.iterate(request);
    const answer = await call('POST', '/graphql', request, csrf);
    if (answer.code === 'UNAUTHENTICATED') signOut();
    return answer;
  };
}

function SignIn({ onSignedIn }) {
  const [fault, setFault] = useState(''), [ticket, setTicket] = useState(null);
  const submit = async (event) => {
    event.preventDefault();
    const { email, password, code } = Object.fromEntries(new FormData(event.target));
    const answer = ticket
      ? await call('POST', '/auth/mfa', { mfaToken: ticket, method: 'totp', code })
      : await call('POST', '/auth/login', { email, password, cookie: true });
    if (answer.data?.mfaToken) setTicket(answer.data.mfaToken);
    else if (answer.data?.csrfToken) onSignedIn(answer.data.csrfToken);
    else setFault(answer.detail ?? 'That did not work.');
  };
  return (
    <form className="sign-in" onSubmit={submit}>
      <h1>GraphQL</h1>
      {ticket ? (
        <label>Code of your authenticator<input name="code" inputMode="numeric" autoComplete="one-time-code" required autoFocus /></label>
      ) : (
        <>
          <label>E-mail<input name="email" type="email" autoComplete="username" required autoFocus /></label>
          <label>Password<input name="password" type="password" autoComplete="current-password" required /></label>
        </>
      )}
      <button type="submit">Sign in</button>
      <p role="alert">{fault}</p>
    </form>
  );
}

function Explorer() {
  // Undefined until it is known, null without a session.
  const [csrf, setCsrf] = useState(undefined);
  useEffect(() => { call('GET', '/me').then(({ data }) => setCsrf(data?.csrfToken ?? null)); }, []);
  if (csrf === undefined) return null;
  if (csrf === null) return <SignIn onSignedIn={setCsrf} />;
  return <GraphiQL fetcher={fetcherOf(csrf, () => setCsrf(null))} defaultQuery={'{\n  resources(first: 10) {\n    nodes {\n      id\n      type\n      name\n    }\n  }\n}\n'} />;
}

createRoot(document.getElementById('explorer')).render(<Explorer />);
