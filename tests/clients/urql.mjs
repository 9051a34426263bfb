// urql: queries and mutations over HTTP, subscriptions over WebSocket or server-sent events.
import { Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { createClient as createSseClient } from 'graphql-sse';
import { createClient as createWsClient } from 'graphql-ws';
import WebSocket from 'ws';
import { FOLLOW, authorization, play, resuming, socketUrl, soon, url } from './stage.mjs';

const byEvents = process.argv[3] === 'sse';
const lines = byEvents
  ? createSseClient({ url, headers: authorization, retry: soon })
  : createWsClient({ url: socketUrl, webSocketImpl: WebSocket, connectionParams: authorization, retryWait: soon });
const client = new Client({
  url,
  preferGetMethod: false,
  fetchOptions: { headers: authorization },
  exchanges: [
    fetchExchange,
    subscriptionExchange({
      forwardSubscription: ({ query, variables }) => ({
        subscribe: (sink) => ({ unsubscribe: resuming(lines).subscribe({ query, variables }, sink) }),
      }),
    }),
  ],
});

async function data(result) {
  const { data, error } = await result;
  if (error) throw error;
  return data;
}

await play({
  query: (query, variables) => data(client.query(query, variables)),
  mutate: (query, variables) => data(client.mutation(query, variables)),
  follow(variables, next, failed) {
    const { unsubscribe } = client.subscription(FOLLOW, variables).subscribe(({ data, error }) => {
      if (error) failed(error.graphQLErrors);
      else next(data);
    });
    return unsubscribe;
  },
  leave: () => lines.dispose(),
});
