// Apollo Client: queries and mutations over HTTP, subscriptions over WebSocket.
import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from '@apollo/client/core';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { OperationTypeNode } from 'graphql';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';
import { FOLLOW, authorization, play, resuming, socketUrl, soon, url } from './stage.mjs';

globalThis.WebSocket ??= WebSocket; // Apollo's link looks for the browser's own

const lines = createClient({
  url: socketUrl, webSocketImpl: WebSocket, connectionParams: authorization, retryWait: soon,
});
const client = new ApolloClient({
  cache: new InMemoryCache(),
  link: ApolloLink.split(
    ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
    new GraphQLWsLink(resuming(lines)),
    new HttpLink({ uri: url, headers: authorization }),
  ),
});

await play({
  query: async (query, variables) => (await client.query({ query: gql(query), variables })).data,
  mutate: async (query, variables) => (await client.mutate({ mutation: gql(query), variables })).data,
  follow(variables, next, failed) {
    const tell = (error) => failed(CombinedGraphQLErrors.is(error) ? error.errors : [error]);
    const following = client
      .subscribe({ query: gql(FOLLOW), variables, fetchPolicy: 'no-cache' })
      .subscribe({ next: ({ data, error }) => (error ? tell(error) : next(data)), error: tell });
    return () => following.unsubscribe();
  },
  leave: () => lines.dispose(),
});
