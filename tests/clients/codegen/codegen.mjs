// A folder of types for each client, from the schema and its trusted documents. `__meta__.documentId` of each typed
// document is what a client sends in place of a text; the ids are the server's own list of them.
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const { ROOT: root, PYTHON: python } = process.env;
const ids = JSON.parse(execFileSync(python, ['-m', 'gql.trusting', 'ids'], { cwd: root, encoding: 'utf8' }));
const inCommon = new Set(['brand', 'streamer', 'player']); // who has the documents of `portals`
const scalars = { Cursor: 'string', Date: 'string', DateTime: 'string', Decimal: 'string', UUID: 'string' };

export default {
  schema: `${root}/schema.graphql`,
  generates: Object.fromEntries(Object.keys(ids).map((client) => [`generated/${client}/`, {
    preset: 'client',
    documents: [client, ...(inCommon.has(client) ? ['portals'] : [])]
      .map((folder) => `${root}/gql/documents/${folder}`)
      .filter(existsSync)
      .map((folder) => `${folder}/**/*.graphql`),
    config: { scalars, strictScalars: true, useTypeImports: true, enumType: 'string-literal' },
    presetConfig: {
      fragmentMasking: false,
      persistedDocuments: true, // a manifest with ids of its own, for who uploads it
      onExecutableDocumentNode: ({ definitions: [first] }) =>
        first.kind === 'OperationDefinition' && { documentId: ids[client][first.name.value] },
    },
  }])),
};
