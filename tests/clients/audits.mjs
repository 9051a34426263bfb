// Every audit of GraphQL over HTTP, one line each, and how many were passed.
import { serverAudits } from 'graphql-http';

const [url, token] = process.argv.slice(2);
const fetchFn = (address, init) =>
  fetch(address, { ...init, headers: { ...init?.headers, Authorization: `Bearer ${token}` } });
const results = await Promise.all(
  serverAudits({ url, fetchFn }).map(async (audit) => [audit.id, audit.name, await audit.fn()]),
);
for (const [id, name, { status, reason }] of results) console.log(id, status, name, reason ?? '');
console.log(`${results.filter(([, , { status }]) => status === 'ok').length} of ${results.length}`);
