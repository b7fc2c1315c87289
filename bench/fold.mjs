// What the read model must hold, folded from the whole log by this file alone: it shares no code and no SQL with the server, so it can tell when the server is wrong.
import { jsonRows } from './common.mjs';

const time = (column) => `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;

/** Compares resource_views row by row and resource_statistics count by count with the log, while nobody writes. Gives sizes and every difference. */
export async function compareWithLog(database) {
  const differences = [], differ = (text) => { differences.push(text); };
  const { events, resources } = await foldLog(database, differ), expected = count(resources), size = resources.size;
  let rows = 0, counts = 0;
  for await (const row of jsonRows(database, `
      select json_build_object('id', id, 'type', type, 'name', name, 'status', status, 'metadata', metadata::text, 'owner', owner, 'version', version,
        'createdAt', ${time('created_at')}, 'createdBy', created_by, 'updatedAt', ${time('updated_at')}, 'updatedBy', updated_by, 'deletedAt', ${time('deleted_at')})
      from resource_views`)) {
    const { id, ...found } = row, wanted = resources.get(id);
    rows++;
    resources.delete(id);
    for (const [member, value] of Object.entries(found))
      if (value !== wanted?.[member]) differ(`${id} ${member}: ${JSON.stringify(value)}, the log says ${JSON.stringify(wanted?.[member])}`);
  }
  for (const id of resources.keys()) differ(`${id} is missing`);
  for await (const { key, live } of jsonRows(database, `
      select json_build_object('key', concat_ws('|', scope, type, status, day), 'live', live) from resource_statistics where live <> 0`)) {
    counts++;
    if (live !== expected.get(key)) differ(`count of ${key}: ${live}, the log says ${expected.get(key) ?? 0}`);
    expected.delete(key);
  }
  for (const [key, live] of expected) differ(`count of ${key} is missing, the log says ${live}`);
  return { events, resources: size, rows, counts, differences };
}

async function foldLog(database, differ) {
  const resources = new Map(), texts = new Map(), same = (text) => texts.get(text) ?? (texts.set(text, text), text);
  let events = 0;
  for await (const { id, v, t, at, by, d, m } of jsonRows(database, `
      select json_build_object('id', stream_id, 'v', version, 't', type, 'at', ${time('timestamp')}, 'by', user_name, 'd', data - 'metadata', 'm', (data -> 'metadata')::text)
      from mt_events where not is_skipped and type like 'resource.%' order by seq_id`)) {
    const now = resources.get(id);
    events++;
    if (v !== (now?.version ?? 0) + 1) differ(`${id} has event ${v} after version ${now?.version ?? 0}`);
    if (t === 'resource.created') {
      resources.set(id, {
        type: same(d.type), name: d.name, status: same(d.status), metadata: m, owner: same(d.owner), version: v,
        createdAt: at, createdBy: same(by), updatedAt: at, updatedBy: same(by), deletedAt: null,
      });
      continue;
    }
    Object.assign(now, { version: v, updatedAt: at, updatedBy: same(by) });
    switch (t) {
      case 'resource.replaced': Object.assign(now, { name: d.name, status: same(d.status), metadata: m }); break;
      case 'resource.renamed': now.name = d.name; break;
      case 'resource.changed':
        Object.assign(now, { name: d.name ?? now.name, status: d.status ? same(d.status) : now.status, metadata: m ?? now.metadata });
        break;
      case 'resource.metadata_changed': now.metadata = m; break;
      case 'resource.status_changed': now.status = same(d.status); break;
      case 'resource.deleted': now.deletedAt = at; break;
      case 'resource.restored':
        Object.assign(now, { deletedAt: null, name: d.name ?? now.name, status: d.status ? same(d.status) : now.status, metadata: m ?? now.metadata });
        break;
      case 'resource.migrated': Object.assign(now, { status: same(d.status), metadata: m }); break;
      default: throw new Error(`The log has a ${t}, which this fold does not know.`);
    }
  }
  return { events, resources };
}

/** Live resources by scope (everyone's, and each owner's), type, status and day of creation. */
function count(resources) {
  const counts = new Map();
  for (const { type, status, owner, createdAt, deletedAt } of resources.values())
    for (const scope of deletedAt ? [] : ['*', owner]) {
      const key = [scope, type, status, createdAt.slice(0, 10)].join('|');
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
  return counts;
}
