// What every client is put through. The test at the other end of our standard streams moves money and cuts cables.
import assert from 'node:assert/strict';
import { createInterface } from 'node:readline';

export const { url, token, person, wallet, other } = JSON.parse(process.argv[2]);
export const socketUrl = url.replace('http', 'ws');
export const authorization = { Authorization: `Bearer ${token}` };

export const WHO = 'query Who { viewer { id } }';
export const OPEN = `mutation Open($input: OpenWalletInput!) {
  openWallet(input: $input) { __typename ... on Wallet { id } ... on Refusal { code } }
}`;
export const FOLLOW = `subscription Follow($id: ID!, $after: Cursor) {
  walletChanged(walletId: $id, after: $after) {
    __typename
    ... on WalletSnapshot { cursor }
    ... on WalletEntry { cursor entry { sequence } }
  }
}`;
const POCKET = { purpose: 'HOSTING_CREDIT', currency: 'IDR' };

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

async function have(deed) {
  console.log(deed);
  assert.equal((await answers.next()).value, 'done');
}

/** How soon a client tries again; its own waits are longer than a test likes. */
export const soon = () => new Promise((resolve) => setTimeout(resolve, 20));

/** A graphql-ws or graphql-sse client whose subscriptions go on after the last cursor, whenever it connects again. */
export const resuming = (client) => ({
  ...client,
  subscribe(request, sink) {
    const resumed = { ...request, variables: { ...request.variables } };
    return client.subscribe(resumed, {
      next(result) {
        resumed.variables.after = result.data?.walletChanged?.cursor ?? resumed.variables.after;
        sink.next(result);
      },
      error: (error) => sink.error(error),
      complete: () => sink.complete(),
    });
  },
});

/** A promise of what a client that only subscribes is told once. */
export const once = (client, query, variables) =>
  new Promise((resolve, reject) => {
    client.subscribe({ query, variables }, { next: resolve, error: reject, complete: () => {} });
  });

/**
 * `query` and `mutate` promise data; `follow(variables, next, failed)` tells of data and of GraphQL errors, and answers
 * how to end it.
 */
export async function play({ query, mutate, follow, leave = () => {} }) {
  assert.equal((await query(WHO, {})).viewer.id, person);
  assert.equal((await mutate(OPEN, { input: POCKET })).openWallet.__typename, 'Wallet');

  const refusal = await new Promise((resolve, reject) => {
    follow({ id: other }, () => reject(new Error('somebody else was followed')), resolve);
  });
  assert.deepEqual(refusal.map((error) => error.extensions.code), ['FORBIDDEN']);

  const told = [];
  let heard = () => {};
  const until = async (count) => {
    while (told.length < count) await new Promise((resolve) => (heard = resolve));
  };
  const end = follow({ id: wallet }, (data) => { told.push(data.walletChanged); heard(); }, (errors) => { throw errors; });
  await until(1);
  await have('credit');
  await until(3);
  await have('cut');
  await have('credit');
  await until(5);
  await have('credit');
  await until(7);
  assert.deepEqual(
    told.map((change) => change.entry?.sequence ?? change.__typename),
    ['WalletSnapshot', 1, 2, 3, 4, 5, 6],
  );
  end();
  await leave();
  console.log('end');
  process.exit(0);
}
