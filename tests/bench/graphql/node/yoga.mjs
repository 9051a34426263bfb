import { createServer } from "node:http";
import { useGraphQlJit } from "@envelop/graphql-jit";
import { createSchema, createYoga } from "graphql-yoga";
import { gathering, items, typeDefs } from "./world.mjs";

const yoga = createYoga({
  schema: createSchema({
    typeDefs,
    resolvers: {
      Query: { items: async () => items },
      Item: { owner: (item, _, context) => context.owner(item.ownerId) },
    },
  }),
  context: () => ({ owner: gathering() }),
  logging: false,
  maskedErrors: true,
  plugins: process.argv[3] === "jit" ? [useGraphQlJit()] : [],
});
createServer(yoga).listen(Number(process.argv[2]), "127.0.0.1");
