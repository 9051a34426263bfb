import { createServer } from "node:http";
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
});
createServer(yoga).listen(Number(process.argv[2]), "127.0.0.1");
