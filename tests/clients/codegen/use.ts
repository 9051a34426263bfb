// What a portal writes: every document by one function, its variables and its answer typed by what was generated.
import type { TypedDocumentNode } from '@graphql-typed-document-node/core';
import { ApolloClient, ApolloLink, InMemoryCache } from '@apollo/client';
import { cacheExchange, Client, fetchExchange, mapExchange } from '@urql/core';
import { Kind, type DocumentNode } from 'graphql';
import { from } from 'rxjs';
import { StartTopUpDocument, WalletsDocument } from './generated/player/graphql.js';

declare const process: { argv: string[] };
const { url, token, wallet } = JSON.parse(process.argv[2] ?? '{}');
const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };

function idOf(document: unknown): string {
  const { __meta__ } = document as { __meta__?: { documentId?: string } };
  if (!__meta__?.documentId) throw new Error('this is no trusted document');
  return __meta__.documentId;
}

async function post(documentId: string, variables: unknown) {
  const answer = await fetch(url, { method: 'POST', headers, body: JSON.stringify({ documentId, variables }) });
  return answer.json();
}

// 1. No library at all.
async function ask<Result, Variables>(document: TypedDocumentNode<Result, Variables>, variables: Variables) {
  const { data, errors } = await post(idOf(document), variables);
  if (errors) throw new Error(errors[0].message);
  return data as Result;
}

// 2. urql sends the id of a document that has no definitions: the last exchange but one lets go of them.
const byId = mapExchange({
  onOperation: (operation) => {
    const query = { kind: Kind.DOCUMENT, definitions: [], documentId: idOf(operation.query) } as unknown as DocumentNode;
    return { ...operation, query };
  },
});
const urql = new Client({
  url, exchanges: [cacheExchange, byId, fetchExchange], preferGetMethod: false, fetchOptions: { headers },
});

// 3. Apollo keeps its cache by `__typename`, which our documents ask for everywhere; a link of ours sends the id.
const link = new ApolloLink(({ query, variables }) => from(post(idOf(query), variables)));
const apollo = new ApolloClient({ link, cache: new InMemoryCache() });

const purposes: string[] = [];
const { viewer } = await ask(WalletsDocument, {});
purposes.push(...viewer.wallets.map(({ purpose }) => purpose));
const second = await urql.query(WalletsDocument, {}).toPromise();
purposes.push(...(second.data?.viewer.wallets ?? []).map(({ purpose }) => purpose));
const third = await apollo.query({ query: WalletsDocument });
purposes.push(...(third.data?.viewer.wallets ?? []).map(({ purpose }) => purpose));

const amount = { amount: '50000.00', currency: 'IDR' as const };
const { startTopUp } = await ask(StartTopUpDocument, {
  input: { walletId: wallet, amount, method: 'QRIS', idempotencyKey: 'once' },
});
const paid = startTopUp.__typename === 'TopUp' ? startTopUp.amount.amount : `refused: ${startTopUp.code}`;

// @ts-expect-error: an amount is a decimal number in a text
() => ask(StartTopUpDocument, { input: { walletId: wallet, amount: { amount: 5, currency: 'IDR' }, method: 'QRIS', idempotencyKey: '' } });
// @ts-expect-error: nobody asked for the statement
() => viewer.wallets[0]?.statement;

console.log(JSON.stringify({ purposes, paid, errors: [second.error?.message, third.error?.message].filter(Boolean) }));
