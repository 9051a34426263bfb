// The objects and the schema that every server answers from.
export const typeDefs = `
  type Owner { id: Int! name: String! city: String! email: String! score: Float! active: Boolean! rank: Int! note: String! }
  type Item {
    id: Int! name: String! title: String! price: Float! stock: Int! active: Boolean! colour: String! note: String!
    owner: Owner!
  }
  type Query { items: [Item!]! }
`;

const OWNERS = 13;
export const owners = Array.from({ length: OWNERS }, (_, id) => ({
  id, name: `Owner ${id}`, city: "Jakarta", email: `owner${id}@example.com`, score: id + 0.5, active: true, rank: id,
  note: "keeps things",
}));
export const items = Array.from({ length: 50 }, (_, id) => ({
  id, name: `Item ${id}`, title: `The title of item ${id}`, price: id + 0.25, stock: id * 3, active: id % 2 === 0,
  colour: "green", note: "as it was found", ownerId: id % OWNERS,
}));

// All keys that are asked for in one turn are looked up together, as a data loader does.
export function gathering() {
  let waiting = null;
  return (id) => new Promise((resolve) => {
    if (waiting === null) {
      waiting = [];
      process.nextTick(() => {
        const all = waiting;
        waiting = null;
        const found = new Map([...new Set(all.map(([key]) => key))].map((key) => [key, owners[key]]));
        for (const [key, tell] of all) tell(found.get(key));
      });
    }
    waiting.push([id, resolve]);
  });
}
