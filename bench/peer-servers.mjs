// The servers with which graphql-peers.mjs compares ours: one schema, written by hand, over the rows of our lists. It runs in a
// folder with its packages, as a process for each server, and sends its port to whoever started it.
//   DATABASE=postgresql://… TOKEN=… node peer-servers.mjs mercurius|dataloader|apollo
import DataLoader from 'dataloader';
import pg from 'pg';

const [kind] = process.argv.slice(2), { DATABASE: database, TOKEN: token } = process.env, listen = { host: '127.0.0.1', port: 0 };
// Times stay texts: cursors need their microseconds, which a Date has not.
pg.types.setTypeParser(pg.types.builtins.TIMESTAMPTZ, (text) => text);
// Connections stay while the others have their turns.
const pool = new pg.Pool({ connectionString: database, idleTimeoutMillis: 0 }).on('error', (error) => console.error(error.message));

const schema = `
  type Query { books(first: Int! = 20, after: String): Books! }
  type Books { nodes: [Book!]! pageInfo: PageInfo! }
  type PageInfo { hasNextPage: Boolean! endCursor: String }
  type Book { id: ID! name: String! status: String! metadata: BookMetadata! }
  type BookMetadata {
    isbn: String title: String price: Float pages: Int open: Boolean year: Int authorId: ID editorId: ID author: Author
  }
  type Author { id: ID! name: String! }
`;

async function books(_, { first, after }) {
  const size = Math.min(Math.max(first, 1), 200), place = after ? JSON.parse(Buffer.from(after, 'base64url')) : [];
  // Order and index are ours, and the limit is no parameter, either: else each call is planned anew. What has a name is prepared once.
  const { rows } = await pool.query({
    name: `books ${size}${after ? ' behind' : ''}`, values: ['book', ...place],
    text: `select id, name, status, metadata, created_at from resource_views where type = $1 and deleted_at is null
      ${after ? 'and (created_at, id) < ($2::timestamptz, $3::uuid)' : ''} order by created_at desc, id desc limit ${size + 1}`,
  });
  const hasNextPage = rows.length > size;
  if (hasNextPage) rows.pop();
  // A resolver for each would cost more.
  for (const { metadata } of rows) {
    metadata.authorId = metadata.author;
    metadata.editorId = metadata.editor;
  }
  const last = rows.at(-1), endCursor = last ? Buffer.from(JSON.stringify([last.created_at, last.id])).toString('base64url') : null;
  return { nodes: rows, pageInfo: { hasNextPage, endCursor } };
}

/** The authors with some ids, by one statement. */
async function authors(ids) {
  const { rows } = await pool.query({
    name: 'authors', values: [[...new Set(ids)].filter(Boolean), 'author'],
    text: 'select id, name from resource_views where id = any ($1::uuid[]) and type = $2 and deleted_at is null',
  });
  const found = new Map(rows.map((row) => [row.id, row]));
  return ids.map((id) => found.get(id) ?? null);
}

const isKnown = ({ headers }) => headers.authorization === `Bearer ${token}`;
const Query = { books }, context = () => ({ loader: new DataLoader(authors) });
const BookMetadata = { author: ({ authorId }, _, { loader }) => authorId ? loader.load(authorId) : null };

async function mercurius(options) {
  const [{ default: fastify }, { default: plugin }] = [await import('fastify'), await import('mercurius')];
  const app = fastify();
  app.addHook('onRequest', (request, reply, done) => { if (isKnown(request)) done(); else reply.code(401).send(); });
  app.register(plugin, { path: '/', schema, jit: 1, ...options });
  return app.listen(listen);
}

const servers = {
  // Its own loaders make a key of the whole object of each reference, which costs more than those of dataloader.
  mercurius: () => mercurius({
    resolvers: { Query }, loaders: { BookMetadata: { author: (asked) => authors(asked.map(({ obj }) => obj.authorId)) } },
  }),

  dataloader: () => mercurius({ resolvers: { Query, BookMetadata }, context }),

  async apollo() {
    const [{ ApolloServer }, { startStandaloneServer }] = [await import('@apollo/server'), await import('@apollo/server/standalone')];
    const { GraphQLError } = await import('graphql');
    const server = new ApolloServer({ typeDefs: schema, resolvers: { Query, BookMetadata } });
    const known = async ({ req }) => {
      if (isKnown(req)) return context();
      throw new GraphQLError('Unknown token', { extensions: { code: 'UNAUTHENTICATED', http: { status: 401 } } });
    };
    return (await startStandaloneServer(server, { listen, context: known })).url;
  },
};

// It ends with whoever started it.
process.on('disconnect', () => process.exit());
process.send(new URL(await servers[kind]()).port);
