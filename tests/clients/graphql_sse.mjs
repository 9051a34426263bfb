// graphql-sse by itself: everything by server-sent events, resumed by the header that browsers send.
import { createClient } from 'graphql-sse';
import { FOLLOW, authorization, once, play, soon, url } from './stage.mjs';

let last;
const client = createClient({
  url,
  retry: soon,
  headers: () => ({ ...authorization, ...(last && { 'Last-Event-ID': last }) }),
});
const ask = async (query, variables) => (await once(client, query, variables)).data;

await play({
  query: ask,
  mutate: ask,
  follow: (variables, next, failed) =>
    client.subscribe({ query: FOLLOW, variables }, {
      next({ data, errors }) {
        if (errors) return failed(errors);
        last = data.walletChanged.cursor;
        next(data);
      },
      error: failed,
      complete: () => {},
    }),
  leave: () => client.dispose(),
});
