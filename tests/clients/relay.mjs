// Relay's runtime with a network layer of graphql-ws alone. What its compiler would have written is written by hand.
import { createClient } from 'graphql-ws';
import relay from 'relay-runtime';
import WebSocket from 'ws';
import { FOLLOW, OPEN, WHO, authorization, play, resuming, socketUrl, soon } from './stage.mjs';

const { Environment, Network, Observable, RecordSource, Store, commitMutation, fetchQuery, requestSubscription } = relay;

const lines = resuming(createClient({
  url: socketUrl, webSocketImpl: WebSocket, connectionParams: authorization, retryWait: soon,
}));
const carry = ({ text, name }, variables) =>
  Observable.create((sink) => lines.subscribe({ operationName: name, query: text, variables }, sink));
const environment = new Environment({ network: Network.create(carry, carry), store: new Store(new RecordSource()) });

const scalar = (name) => ({ alias: null, args: null, kind: 'ScalarField', name, storageKey: null });
const linked = (name, concreteType, selections, args = null) => ({
  alias: null, args, concreteType, kind: 'LinkedField', name, plural: false, selections, storageKey: null,
});
const on = (type, ...selections) => ({ kind: 'InlineFragment', selections, type, abstractKey: null });
const variable = (name, variableName) => ({ kind: 'Variable', name, variableName });

function compiled(text, operationKind, name, type, variables, selections) {
  const argumentDefinitions = variables.map((each) => ({ defaultValue: null, kind: 'LocalArgument', name: each }));
  return {
    fragment: { abstractKey: null, argumentDefinitions, kind: 'Fragment', metadata: null, name, selections, type },
    kind: 'Request',
    operation: { argumentDefinitions, kind: 'Operation', name, selections },
    params: { cacheID: name, id: null, metadata: {}, name, operationKind, text },
  };
}

const who = compiled(WHO, 'query', 'Who', 'Query', [], [linked('viewer', 'Viewer', [scalar('id')])]);
const open = compiled(OPEN, 'mutation', 'Open', 'Mutation', ['input'], [
  linked('openWallet', null, [scalar('__typename'), on('Wallet', scalar('id'))], [variable('input', 'input')]),
]);
const changes = compiled(FOLLOW, 'subscription', 'Follow', 'Subscription', ['id', 'after'], [
  linked('walletChanged', null, [
    scalar('__typename'),
    on('WalletSnapshot', scalar('cursor')),
    on('WalletEntry', scalar('cursor'), linked('entry', 'Entry', [scalar('sequence')])),
  ], [variable('after', 'after'), variable('walletId', 'id')]),
]);

await play({
  query: (_, variables) => fetchQuery(environment, who, variables).toPromise(),
  mutate: (_, variables) =>
    new Promise((resolve, reject) => {
      commitMutation(environment, { mutation: open, variables, onCompleted: resolve, onError: reject });
    }),
  follow: (variables, next, failed) =>
    requestSubscription(environment, { subscription: changes, variables, onNext: next, onError: failed }).dispose,
  leave: () => lines.dispose(),
});
