// The official JavaScript client, unchanged, against the embedded Kintone: node rest.mjs URL
import assert from "node:assert/strict";
import { KintoneRestAPIClient } from "@kintone/rest-api-client";
import { count, gives, refused } from "./calls.mjs";

const baseUrl = process.argv[2];
const login = (username, password) => new KintoneRestAPIClient({ baseUrl, auth: { username, password } });
const token = (apiToken, options = {}) => new KintoneRestAPIClient({ baseUrl, auth: { apiToken }, ...options });
const client = login("admin", "admin-pass");
const { record, app, file } = client;
const value = (code) => ({ records }) => records.map((r) => r[code].value);
const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// Reading.
await gives("getRecord", record.getRecord({ app: 1, id: 1 }), ["1", "1", "青井商店", "1000.5", ["重要"], "2020-04-01"],
  ({ record: r }) => [r.$id.value, r.$revision.value, r.name.value, r.limit_amount.value, r.tags.value, r.since.value]);
await gives("a user select", record.getRecord({ app: "1", id: "1" }), [{ code: "sato", name: "佐藤 花子" }], ({ record: r }) => r.owner.value);
await gives("a table", record.getRecord({ app: 1, id: 1 }), [["青井 太郎", "40"]],
  ({ record: r }) => r.contacts.value.map((row) => [row.value.contact_name.value, row.value.contact_age.value]));
await refused("getRecord of none", record.getRecord({ app: 1, id: 99 }), "404 GAIA_RE01");
await refused("getRecord of no app", record.getRecord({ app: 99, id: 1 }), "404 GAIA_AP01");
await gives("getRecords", record.getRecords({ app: 1 }), ["C003", "C002", "C001"], value("code"));
await gives("getRecords with a query", record.getRecords({ app: 1, query: 'rank in ("A") order by $id asc', fields: ["code"], totalCount: true }),
  [["C001", "C003"], "2", ["code"]], (answer) => [value("code")(answer), answer.totalCount, Object.keys(answer.records[0])]);
await gives("an empty number is the least", record.getRecords({ app: 1, query: "limit_amount < 100 order by $id asc" }), ["C002", "C003"], value("code"));
await gives("quotes in text", record.getRecords({ app: 1, query: 'name = "Blue Sky \\"Ltd\\""' }), ["C002"], value("code"));
await gives("a long query goes by POST", record.getRecords({ app: 1, query: `code in ("C001", ${Array(600).fill('"nothing"').join(", ")})` }), ["C001"], value("code"));
await refused("limit 501", record.getRecords({ app: 1, query: "limit 501" }), "400 GAIA_QU01");
await refused("offset 10001", record.getRecords({ app: 1, query: "offset 10001" }), "400 GAIA_QU02");
await refused("bad syntax", record.getRecords({ app: 1, query: "code = 'x'" }), "400 CB_VA01", ["query"]);
await refused("= on a choice", record.getRecords({ app: 1, query: 'rank = "A"' }), "400 GAIA_IQ03");
await refused("no such option", record.getRecords({ app: 1, query: 'rank in ("Z")' }), "400 GAIA_IQ10");
await refused("no such field", record.getRecords({ app: 1, query: 'nothing = "1"' }), "400 GAIA_IQ11");
await refused("= in a table", record.getRecords({ app: 1, query: 'contact_name = "x"' }), "400 GAIA_IQ07");
await refused("not sortable", record.getRecords({ app: 1, query: "order by tags asc" }), "400 GAIA_IS02");
await gives("in a table", record.getRecords({ app: 1, query: 'contact_name in ("青井 太郎")' }), ["C001"], value("code"));
await gives("getAllRecordsWithId", record.getAllRecordsWithId({ app: 1, condition: 'rank in ("A", "B")' }), ["C001", "C002", "C003"], (rows) => rows.map((r) => r.code.value));
await gives("getAllRecordsWithOffset", record.getAllRecordsWithOffset({ app: 1, orderBy: "code desc" }), 3, (rows) => rows.length);
await gives("getAllRecordsWithCursor", record.getAllRecordsWithCursor({ app: 1, query: "order by code desc" }), ["C003", "C002", "C001"], (rows) => rows.map((r) => r.code.value));

// Cursors.
const cursor = await gives("createCursor", record.createCursor({ app: 1, size: 2, query: "order by $id asc" }), "3", (c) => c.totalCount);
await gives("the first page", record.getRecordsByCursor({ id: cursor.id }), [["C001", "C002"], true], (page) => [value("code")(page), page.next]);
await gives("the last page", record.getRecordsByCursor({ id: cursor.id }), [["C003"], false], (page) => [value("code")(page), page.next]);
await refused("a cursor that ended", record.getRecordsByCursor({ id: cursor.id }), "404 GAIA_CN01");
const second = await gives("another cursor", record.createCursor({ app: 1 }), "3", (c) => c.totalCount);
await gives("deleteCursor", record.deleteCursor({ id: second.id }), {});
await refused("deleteCursor again", record.deleteCursor({ id: second.id }), "404 GAIA_CN01");
await refused("limit in a cursor", record.createCursor({ app: 1, query: "limit 1" }), "400 CB_VA01");

// Writing.
const added = await gives("addRecord", record.addRecord({ app: 1, record: { code: { value: "C004" }, limit_amount: { value: "1.5e1" }, met: { value: "2026-03-31T23:59:45+09:00" } } }), ["4", "1"], (r) => [r.id, r.revision]);
await gives("what was added", record.getRecord({ app: 1, id: added.id }), ["C", "15", "2026-03-31T14:59:00Z", "admin"],
  ({ record: r }) => [r.rank.value, r.limit_amount.value, r.met.value, Object.values(r).find((f) => f.type === "CREATOR").value.code]);
await refused("a required field", record.addRecord({ app: 1, record: { name: { value: "x" } } }), "400 CB_VA01", ["record.code.value"]);
await refused("a value that is taken", record.addRecord({ app: 1, record: { code: { value: "C001" } } }), "400 CB_VA01", ["record.code.value"]);
await refused("a text too long", record.addRecord({ app: 1, record: { code: { value: "12345678901" } } }), "400 CB_VA01", ["record.code.value"]);
await refused("no number", record.addRecord({ app: 1, record: { code: { value: "C9" }, limit_amount: { value: "many" } } }), "400 CB_VA01");
await refused("a number too large", record.addRecord({ app: 1, record: { code: { value: "C9" }, limit_amount: { value: "1000001" } } }), "400 CB_VA01", ["record.limit_amount.value"]);
await refused("no option", record.addRecord({ app: 1, record: { code: { value: "C9" }, rank: { value: "Z" } } }), "400 CB_VA01", ["record.rank.value"]);
await refused("no URL", record.addRecord({ app: 1, record: { code: { value: "C9" }, site: { value: "nowhere" } } }), "400 CB_VA01", ["record.site.value"]);
await gives("addRecords", record.addRecords({ app: 1, records: [{ code: { value: "C005" } }, { code: { value: "C006" } }] }), [["5", "6"], ["1", "1"]], (r) => [r.ids, r.revisions]);
await refused("all or nothing", record.addRecords({ app: 1, records: [{ code: { value: "C007" } }, { code: { value: "C005" } }] }), "400 CB_VA01", ["records[1].code.value"]);
await gives("nothing was added", record.getRecords({ app: 1, query: 'code = "C007"' }), [], value("code"));
await gives("updateRecord by id", record.updateRecord({ app: 1, id: 4, record: { name: { value: "四番" } }, revision: 1 }), { revision: "2" });
await refused("an old revision", record.updateRecord({ app: 1, id: 4, record: { name: { value: "x" } }, revision: 1 }), "409 GAIA_CO02");
await gives("updateRecord by key", record.updateRecord({ app: 1, updateKey: { field: "code", value: "C005" }, record: { rank: { value: "B" } } }), { revision: "2" });
await refused("no such key", record.updateRecord({ app: 1, updateKey: { field: "code", value: "none" }, record: {} }), "404 GAIA_RE20");
await gives("updateRecords", record.updateRecords({ app: 1, records: [{ id: 5, record: { rank: { value: "A" } } }, { updateKey: { field: "code", value: "C006" }, record: { rank: { value: "A" } } }] }),
  [{ id: "5", revision: "3" }, { id: "6", revision: "2" }], (r) => r.records);
await gives("upsert by updateRecords", record.updateRecords({ app: 1, upsert: true, records: [{ updateKey: { field: "code", value: "C006" }, record: { rank: { value: "B" } } }, { updateKey: { field: "code", value: "C010" }, record: {} }] }),
  ["UPDATE", "INSERT"], (r) => r.records.map((x) => x.operation));
await gives("upsertRecord adds", record.upsertRecord({ app: 1, updateKey: { field: "code", value: "C011" }, record: { name: { value: "十一" } } }), "1", (r) => r.revision);
await gives("upsertRecord changes", record.upsertRecord({ app: 1, updateKey: { field: "code", value: "C011" }, record: { name: { value: "11" } } }), "2", (r) => r.revision);
const rows = (await record.getRecord({ app: 1, id: 1 })).record.contacts.value;
await gives("a table row is kept, one is added", record.updateRecord({ app: 1, id: 1, record: { contacts: { value: [{ id: rows[0].id, value: { contact_age: { value: "41" } } }, { value: { contact_name: { value: "新人" } } }] } } }), { revision: "2" });
await gives("the merged table", record.getRecord({ app: 1, id: 1 }), [["青井 太郎", "41"], ["新人", ""]],
  ({ record: r }) => r.contacts.value.map((row) => [row.value.contact_name.value, row.value.contact_age.value ?? ""]));
await gives("deleteRecords", record.deleteRecords({ app: 1, ids: [5, 6] }), {});
await refused("deleteRecords of one that is gone", record.deleteRecords({ app: 1, ids: [4, 5] }), "404 GAIA_RE01");
await gives("nothing was deleted", record.getRecord({ app: 1, id: 4 }), "C004", ({ record: r }) => r.code.value);
const many = Array.from({ length: 230 }, (_, n) => ({ code: { value: `M${n}` } }));
await gives("addAllRecords", record.addAllRecords({ app: 1, records: many }), 230, (r) => r.records.length);
const bulk = await record.getAllRecordsWithId({ app: 1, condition: 'rank in ("C") and name = ""' });
await gives("updateAllRecords", record.updateAllRecords({ app: 1, records: bulk.map((r) => ({ id: r.$id.value, record: { memo: { value: "bulk" } } })) }), bulk.length, (r) => r.records.length);
await gives("deleteAllRecords", record.deleteAllRecords({ app: 1, records: bulk.filter((r) => r.code.value.startsWith("M")).map((r) => ({ id: r.$id.value })) }), {});
await gives("what is left", record.getRecords({ app: 1, totalCount: true }), "6", (r) => r.totalCount);

// Lookups and calculated fields.
const order = await gives("a lookup copies", record.addRecord({ app: 2, record: { customer: { value: "C003" }, price: { value: "12.5" }, quantity: { value: "4" } } }), "1", (r) => r.revision);
await gives("copied and calculated", record.getRecord({ app: 2, id: order.id }), ["高木電機", "50", "未処理"],
  ({ record: r }) => [r.customer_name.value, r.total.value, Object.values(r).find((f) => f.type === "STATUS").value]);
await refused("a lookup of nothing", record.addRecord({ app: 2, record: { customer: { value: "none" } } }), "400 GAIA_LO04");

// Process management.
await gives("updateRecordStatus", record.updateRecordStatus({ app: 2, id: order.id, action: "開始" }), { revision: "3" });
await refused("an action of another state", record.updateRecordStatus({ app: 2, id: order.id, action: "開始" }), "400 GAIA_IL03");
await gives("updateRecordAssignees", record.updateRecordAssignees({ app: 2, id: order.id, assignees: ["admin"] }), { revision: "4" });
await gives("updateRecordsStatus", record.updateRecordsStatus({ app: 2, records: [{ id: order.id, action: "完了にする" }] }), [{ id: order.id, revision: "6" }], (r) => r.records);
await refused("no process here", record.updateRecordStatus({ app: 1, id: 1, action: "開始" }), "400 GAIA_ST02");

// Several calls as one.
await gives("bulkRequest", client.bulkRequest({ requests: [
  { method: "POST", api: "/k/v1/record.json", payload: { app: 1, record: { code: { value: "B1" } } } },
  { method: "PUT", api: "/k/v1/record.json", payload: { app: 1, updateKey: { field: "code", value: "B1" }, record: { name: { value: "in the same request" } } } },
  { method: "POST", api: "/k/v1/record.json", payload: { app: 2, record: { price: { value: "1" } } } },
] }), ["1", "2", "1"], (r) => r.results.map((x) => x.revision));
const before = (await record.getRecords({ app: 2, totalCount: true })).totalCount;
await refused("bulkRequest takes all back", client.bulkRequest({ requests: [
  { method: "POST", api: "/k/v1/record.json", payload: { app: 2, record: {} } },
  { method: "POST", api: "/k/v1/record.json", payload: { app: 1, record: { code: { value: "B1" } } } },
] }), "400 CB_VA01");
await gives("nothing of it stayed", record.getRecords({ app: 2, totalCount: true }), before, (r) => r.totalCount);

// Comments.
await gives("addRecordComment", record.addRecordComment({ app: 1, record: 1, comment: { text: "一番", mentions: [{ code: "sato", type: "USER" }] } }), { id: "1" });
await gives("addRecordComment again", record.addRecordComment({ app: 1, record: 1, comment: { text: "二番" } }), { id: "2" });
await gives("getRecordComments", record.getRecordComments({ app: 1, record: 1 }), [["2", "1"], false, false], (c) => [c.comments.map((x) => x.id), c.older, c.newer]);
await gives("oldest first", record.getRecordComments({ app: 1, record: 1, order: "asc", limit: 1 }), [["sato"], true], (c) => [c.comments[0].mentions.map((m) => m.code), c.newer]);
await gives("deleteRecordComment", record.deleteRecordComment({ app: 1, record: 1, comment: 1 }), {});
await refused("deleteRecordComment again", record.deleteRecordComment({ app: 1, record: 1, comment: 1 }), "400 GAIA_RE02");
await refused("a comment without text", record.addRecordComment({ app: 1, record: 1, comment: { text: "" } }), "400 CB_VA01");

// Files.
const { fileKey } = await gives("uploadFile", file.uploadFile({ file: { name: "見積.txt", data: "三百万円" } }), "string", (f) => typeof f.fileKey);
await gives("a record with a file", record.updateRecord({ app: 1, id: 2, record: { papers: { value: [{ fileKey }] } } }), { revision: "2" });
const [paper] = (await record.getRecord({ app: 1, id: 2 })).record.papers.value;
assert.deepEqual([paper.name, paper.size, paper.contentType], ["見積.txt", "12", "text/plain"]);
assert.notEqual(paper.fileKey, fileKey);
await gives("downloadFile", file.downloadFile({ fileKey: paper.fileKey }), "三百万円", (bytes) => Buffer.from(bytes).toString());
// The client takes every answer to a download for a file's bytes, a refusal too.
await refused("downloadFile of none", file.downloadFile({ fileKey: "none" }), "404 undefined");

// Apps and forms.
await gives("getApp", app.getApp({ id: 1 }), ["1", "CUSTOMERS", "顧客管理"], (a) => [a.appId, a.code, a.name]);
await gives("getApps", app.getApps({}), ["1", "2"], (a) => a.apps.map((x) => x.appId));
await gives("getApps by code", app.getApps({ codes: ["ORDERS"] }), ["受注"], (a) => a.apps.map((x) => x.name));
await gives("getFormFields", app.getFormFields({ app: 1 }), ["SINGLE_LINE_TEXT", true, "10"], (f) => [f.properties.code.type, f.properties.code.unique, f.properties.code.maxLength]);
await gives("getFormLayout", app.getFormLayout({ app: 1 }), true, (f) => f.layout.some((row) => row.type === "SUBTABLE" && row.code === "contacts"));
await gives("getViews", app.getViews({ app: 1 }), "object", (v) => typeof v.views);
await gives("getAppSettings", app.getAppSettings({ app: 1 }), "顧客管理", (s) => s.name);
await gives("getProcessManagement", app.getProcessManagement({ app: 2 }), [true, ["未処理", "処理中", "完了"], 2], (p) => [p.enable, Object.keys(p.states), p.actions.length]);
await gives("evaluateRecordsAcl", app.evaluateRecordsAcl({ app: 1, ids: [1] }), [true, true], ({ rights: [r] }) => [r.record.viewable, r.fields.name.editable]);
const form = await gives("addFormFields", app.addFormFields({ app: 1, properties: { extra: { type: "NUMBER", code: "extra", label: "追加" } } }), "string", (r) => typeof r.revision);
await gives("not live yet", app.getFormFields({ app: 1 }), undefined, (f) => f.properties.extra);
await gives("in the preview", app.getFormFields({ app: 1, preview: true }), "NUMBER", (f) => f.properties.extra.type);
await refused("an old revision of the form", app.addFormFields({ app: 1, revision: 1, properties: { late: { type: "NUMBER", code: "late", label: "late" } } }), "409 GAIA_CO02");
const deployed = async (id) => {
  for (let tries = 0; tries < 100; tries += 1) {
    const { apps: [{ status }] } = await app.getDeployStatus({ apps: [id] });
    if (status !== "PROCESSING") return status;
    await wait(20);
  }
  return "never";
};
await gives("deployApp", app.deployApp({ apps: [{ app: 1, revision: form.revision }] }), {});
await gives("getDeployStatus", deployed(1), "SUCCESS");
await gives("live now", app.getFormFields({ app: 1 }), "追加", (f) => f.properties.extra.label);
await gives("the new field takes values", record.updateRecord({ app: 1, id: 1, record: { extra: { value: "7" } } }), { revision: "3" });
await gives("updateFormFields", app.updateFormFields({ app: 1, properties: { extra: { type: "NUMBER", code: "extra", label: "追加2" } } }), "string", (r) => typeof r.revision);
await gives("deleteFormFields", app.deleteFormFields({ app: 1, fields: ["memo"] }), "string", (r) => typeof r.revision);
await gives("deployApp again", app.deployApp({ apps: [{ app: 1 }] }), {});
await gives("deployed again", deployed(1), "SUCCESS");
await gives("values stay, a field is gone", record.getRecord({ app: 1, id: 1 }), ["7", undefined, "青井商店"], ({ record: r }) => [r.extra.value, r.memo, r.name.value]);
const made = await gives("addApp", app.addApp({ name: "作ったアプリ" }), "string", (a) => typeof a.app);
await gives("its form", app.addFormFields({ app: made.app, properties: { 題名: { type: "SINGLE_LINE_TEXT", code: "題名", label: "題名" } } }), "string", (r) => typeof r.revision);
await refused("not deployed yet", record.addRecord({ app: made.app, record: {} }), "404 GAIA_AP01");
await gives("deploy the new app", app.deployApp({ apps: [{ app: made.app }] }), {});
await gives("the new app is there", deployed(made.app), "SUCCESS");
await gives("its first record", record.addRecord({ app: made.app, record: { 題名: { value: "一" } } }), { id: "1", revision: "1" });

// Who calls.
await refused("a wrong password", login("admin", "wrong").record.getRecord({ app: 1, id: 1 }), "401 CB_WA01");
await refused("someone retired", login("retired", "x").record.getRecord({ app: 1, id: 1 }), "401 CB_WA01");
await gives("an API token", token("token-customers").record.getRecord({ app: 1, id: 1 }), "C001", ({ record: r }) => r.code.value);
await gives("two API tokens", token(["token-customers", "token-orders"]).record.getRecord({ app: 2, id: 1 }), "C001", ({ record: r }) => r.customer.value);
await refused("a token of another app", token("token-orders").record.getRecord({ app: 1, id: 1 }), "400 GAIA_AP15");
await refused("no such token", token("nothing").record.getRecord({ app: 1, id: 1 }), "520 GAIA_IA02");
await refused("apps by token", token("token-customers").app.getApps({}), "403 GAIA_NO01");
const guest = new KintoneRestAPIClient({ baseUrl, auth: { username: "admin", password: "admin-pass" }, guestSpaceId: 7 });
await gives("a guest space", guest.record.getRecords({ app: 3 }), ["hello"], value("title"));
await refused("its app on the plain path", record.getRecords({ app: 3 }), "400 GAIA_IL23");
await refused("a plain app on its path", guest.record.getRecords({ app: 1 }), "403 CB_NO02");
await gives("the login user", login("sato", "sato-pass").record.getRecords({ app: 1, query: "owner in (LOGINUSER())" }), ["C001"], value("code"));
await refused("nobody of that code", record.getRecords({ app: 1, query: 'owner in ("nobody")' }), "400 GAIA_IL26");

console.log(`${count()} calls of the official client compared`);
