import Fastify from "fastify";
import mercurius from "mercurius";
import { items, owners, typeDefs } from "./world.mjs";

const app = Fastify();
app.register(mercurius, {
  schema: typeDefs,
  resolvers: { Query: { items: async () => items } },
  loaders: { Item: { owner: async (queries) => queries.map(({ obj }) => owners[obj.ownerId]) } },
  jit: process.argv[3] === "jit" ? 1 : 0,
});
await app.listen({ port: Number(process.argv[2]), host: "127.0.0.1" });
