// Reads an app with the official client, as often as it is asked to. One request a line on standard input, one answer
// a line on standard output, both JSON; `ms` is what the client took, without what is done to check it.
import { createHash } from "node:crypto";
import { createInterface } from "node:readline";
import { KintoneRestAPIClient } from "@kintone/rest-api-client";

const [baseUrl] = process.argv.slice(2);
const client = new KintoneRestAPIClient({ baseUrl, auth: { username: "demo", password: "demo" } });

// A value as PostgreSQL prints it.
function text({ type, value }) {
  if (value === null || value === "") return "\\N";
  switch (type) {
    case "CREATOR":
    case "MODIFIER":
      return value.code;
    case "CREATED_TIME":
    case "UPDATED_TIME":
    case "DATETIME":
      return value.replace("T", " ").replace("Z", "+00");
    case "CHECK_BOX":
      return `{${value.join(",")}}`;
    default:
      return value;
  }
}

function hash(records, fields) {
  const sha = createHash("sha256");
  for (const record of records) {
    sha.update(fields.map((field) => text(record[field])).join("\x1f") + "\x1e");
  }
  return sha.digest("hex");
}

async function timed(work) {
  globalThis.gc?.();
  const started = performance.now();
  const result = await work();
  return { ms: performance.now() - started, result };
}

const tasks = {
  // Every record with every field.
  async all({ app, fields }) {
    const { ms, result } = await timed(() => client.record.getAllRecords({ app }));
    return { ms, rows: result.length, hash: fields && hash(result, fields) };
  },
  // What SQL would have counted, ordered and grouped, of the two fields that it takes.
  async computed({ app, amount, rank }) {
    const read = await timed(() => client.record.getAllRecords({ app, fields: [amount, rank] }));
    const records = read.result;
    const count = await timed(() => String(records.length));
    const top = await timed(() => {
      const amounts = records.map((record) => Number(record[amount].value));
      return amounts.sort((a, b) => b - a).slice(0, 10).join(" ");
    });
    const groups = await timed(() => {
      const counts = new Map();
      for (const record of records) {
        const key = record[rank].value ?? "";
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
      return [...counts].sort().map(([key, n]) => `${key}=${n}`).join(" ");
    });
    const answer = ({ ms, result }) => ({ ms: read.ms + ms, answer: result });
    return { count: answer(count), top: answer(top), groups: answer(groups) };
  },
  // One record.
  async one({ app, id }) {
    const { ms, result } = await timed(() => client.record.getRecord({ app, id }));
    return { ms, rows: 1, id: result.record.$id.value };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  console.log(JSON.stringify(await tasks[request.task](request)));
}
