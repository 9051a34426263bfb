// graphql-ws by itself: everything over one socket.
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { FOLLOW, authorization, once, play, resuming, socketUrl, soon } from './stage.mjs';

const client = createClient({
  url: socketUrl, webSocketImpl: WebSocket, connectionParams: authorization, retryWait: soon,
});
const ask = async (query, variables) => (await once(client, query, variables)).data;

await play({
  query: ask,
  mutate: ask,
  follow: (variables, next, failed) =>
    resuming(client).subscribe(
      { query: FOLLOW, variables },
      { next: ({ data }) => next(data), error: failed, complete: () => {} },
    ),
  leave: () => client.dispose(),
});
