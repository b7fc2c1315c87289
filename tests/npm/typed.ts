// A client in strict TypeScript, with types that openapi-typescript makes of the server's own document (api.d.ts).
// It runs, too: so neither the types nor the answers are wrong.
// usage: node typed.js <server> <e-mail> <password>
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

type Resource = components["schemas"]["ResourceDocument"];

declare const process: { argv: string[] };

function check(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Error(what);
}

const [, , server, email, password] = process.argv;
check(server !== undefined && email !== undefined && password !== undefined, "arguments");
const client = createClient<paths>({ baseUrl: server });

// A sign-in is answered by tokens, a cookie, or the methods of a second factor.
const login = await client.POST("/api/v1/auth/login", { body: { email, password } });
check(login.data !== undefined, "sign in");
const session = login.data.data;
const token = session.accessToken;
check(token !== undefined, `tokens, not ${session.methods} or a cookie`);
client.use({
  onRequest({ request }) {
    request.headers.set("Authorization", `Bearer ${token}`);
    return request;
  },
});

// Metadata is any JSON object.
const type = `typed${Date.now()}`;
const ids: string[] = [];
for (const price of [10, 20, 30]) {
  const created = await client.POST("/api/v1/resources", {
    params: { header: { "Idempotency-Key": `"${type}-${price}"` } },
    body: { name: `Bicycle ${price}`, type, metadata: { price, sizes: [1, 2], frame: { color: "blue" } } },
  });
  check(created.data !== undefined, "create");
  const whole: Resource = created.data.data;
  check(priceOf(whole.metadata) === price, "the price of what was created");
  check(created.data.meta.position !== undefined, "a position");
  ids.push(whole.id);
}

function priceOf(metadata: Resource["metadata"] | undefined): number {
  const price = metadata?.price;
  return typeof price === "number" ? price : Number.NaN;
}

// Lists in pages; their rows are resources, not text.
const prices: number[] = [];
let cursor: string | undefined;
do {
  const { data, error } = await client.GET("/api/v1/resources", {
    params: { query: { type, limit: 2, sort: "name", count: "exact", ...(cursor && { cursor }) } },
  });
  check(data !== undefined, `list: ${error?.code}`);
  check(data.meta.count === 3, "a count");
  for (const row of data.data) prices.push(priceOf(row.metadata));
  // Without `fields`, every row is whole.
  check((data.data as Resource[]).every((row) => row.name.startsWith("Bicycle")), "whole rows");
  cursor = data.meta.page?.next ?? undefined;
} while (cursor !== undefined);
check(prices.join() === "10,20,30", `prices: ${prices}`);

// Only what `fields` asks for is there, and the types say so.
const id = ids[0]!;
const some = await client.GET("/api/v1/resources/{id}", {
  params: { path: { id }, query: { fields: "name,metadata.frame.color" } },
});
check(some.data !== undefined, "some members");
const shown = some.data.data;
// @ts-expect-error It may be left out.
const length: number = shown.name.length;
check(shown.owner === undefined && length === 10, "only the name");
const frame: unknown = shown.metadata?.frame;
check(JSON.stringify(frame) === '{"color":"blue"}', "a nested member");

// A merge patch changes one member and removes another; one with a wrong version is a problem.
const patched = await client.PATCH("/api/v1/resources/{id}", {
  params: { path: { id }, header: { "If-Match": '"1"' } },
  headers: { "Content-Type": "application/merge-patch+json" },
  body: { metadata: { price: 11, sizes: null } },
});
check(patched.data !== undefined, `patch: ${patched.error?.code}`);
check(patched.data.data.version === 2 && priceOf(patched.data.data.metadata) === 11, "the patched price");
check(!("sizes" in patched.data.data.metadata), "a removed member");
const stale = await client.PATCH("/api/v1/resources/{id}", {
  params: { path: { id }, header: { "If-Match": '"1"' } },
  headers: { "Content-Type": "application/json-patch+json" },
  body: [{ op: "replace", path: "/metadata/price", value: 12 }],
});
check(stale.response.status === 412 && stale.error?.code === "VERSION_MISMATCH", "a mismatch");
const refused = await client.POST("/api/v1/resources", { body: { name: "" } });
check(refused.error?.errors?.[0]?.pointer === "/name", "the fault's pointer");

// Events, and what is shown only once.
const history = await client.GET("/api/v1/resources/{id}/events", { params: { path: { id } } });
check(history.data !== undefined, "history");
const kinds = history.data.data.map((event) => event.type);
check(kinds.join() === "resource.created,resource.metadata_changed", `events: ${kinds}`);
const key = await client.POST("/api/v1/api-keys", { body: { name: type, permissions: ["resource:read"] } });
check(key.data?.data.key !== undefined, `key: ${key.error?.code}`);
const keys = await client.GET("/api/v1/api-keys");
check(keys.data?.data.every((each) => each.key === undefined) === true, "keys are not listed");
console.log("ok");
