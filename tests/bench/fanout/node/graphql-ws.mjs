import { createServer } from "node:http";
import { createPubSub } from "@graphql-yoga/subscription";
import { buildSchema } from "graphql";
import { useServer } from "graphql-ws/use/ws";
import { Redis } from "ioredis";
import { WebSocketServer } from "ws";

const [port, redisUrl, topic, rest] = process.argv.slice(2);
const told = JSON.parse(rest);
const schema = buildSchema(`
  type Query { nothing: Boolean }
  type Tick {
    number: Int! title: String! game: String! amount: Int! currency: String! target: Int! live: Boolean! note: String!
  }
  type Subscription { ticked: Tick! }
`);
const pubsub = createPubSub();
schema.getSubscriptionType().getFields().ticked.subscribe = () => pubsub.subscribe("ticked");
schema.getSubscriptionType().getFields().ticked.resolve = (tick) => tick;

const redis = new Redis(redisUrl);
await redis.subscribe(topic);
redis.on("message", (_, number) => pubsub.publish("ticked", { number: Number(number), ...told }));

const server = createServer();
useServer({ schema }, new WebSocketServer({ server, path: "/graphql" }));
server.listen(Number(port), "127.0.0.1");
