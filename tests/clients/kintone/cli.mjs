// The official command line tool, unchanged, against the embedded Kintone: node cli.mjs URL FOLDER
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdirSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

const [baseUrl, folder] = process.argv.slice(2);
const program = join(dirname(createRequire(import.meta.url).resolve("@kintone/cli/package.json")), "cli.js");
const run = promisify(execFile);
const login = ["--base-url", baseUrl, "-u", "admin", "-p", "admin-pass"];
const token = (name) => ["--base-url", baseUrl, "--api-token", name];
let runs = 0;

/** Standard output of `record VERB`, or of its failure what both streams say. */
async function kintone(verb, ...rest) {
  runs += 1;
  return run("node", [program, "record", verb, ...rest]).then(
    ({ stdout }) => stdout,
    (error) => Promise.reject(new Error(`${verb}: ${error.stdout}${error.stderr}`)),
  );
}
const lines = (text) => text.trim().split("\n");

// Export.
let out = await kintone("export", ...login, "--app", "1", "--fields", "code,rank,limit_amount", "--order-by", "code asc");
assert.deepEqual(lines(out).slice(0, 2), ['"code","rank","limit_amount"', '"C001","A","1000.5"']);
out = await kintone("export", ...token("token-customers"), "--app", "1", "--condition", 'rank in ("B")', "--fields", "code");
assert.deepEqual(lines(out), ['"code"', '"C002"']);
out = await kintone("export", ...login, "--app", "1", "--fields", "code,contacts", "--condition", 'code = "C001"');
assert.deepEqual(lines(out), ['*,"code","contacts","contact_name","contact_age"', '*,"C001","1","青井 太郎","40"']);
out = await kintone("export", ...login, "--app", "3", "--guest-space-id", "7", "--fields", "title");
assert.deepEqual(lines(out), ['"title"', '"hello"']);
await assert.rejects(kintone("export", ...login, "--app", "99"), /GAIA_AP01|not found|\[404\]/);
await assert.rejects(kintone("export", "--base-url", baseUrl, "-u", "admin", "-p", "wrong", "--app", "1"), /CB_WA01|\[401\]/);

// Import: new records, then the same by an update key.
mkdirSync(folder, { recursive: true });
const csv = (name, text) => { const path = join(folder, name); writeFileSync(path, text); return path; };
await kintone("import", ...login, "--app", "1", "--file-path", csv("add.csv", '"code","name"\n"K1","一"\n"K2","二"\n'));
out = await kintone("export", ...login, "--app", "1", "--condition", 'code in ("K1", "K2")', "--fields", "code,name", "--order-by", "code asc");
assert.deepEqual(lines(out).slice(1), ['"K1","一"', '"K2","二"']);
await kintone("import", ...login, "--app", "1", "--update-key", "code", "--file-path", csv("update.csv", '"code","name"\n"K2","弐"\n"K3","参"\n'));
out = await kintone("export", ...login, "--app", "1", "--condition", 'code in ("K1", "K2", "K3")', "--fields", "code,name", "--order-by", "code asc");
assert.deepEqual(lines(out).slice(1), ['"K1","一"', '"K2","弐"', '"K3","参"']);
await assert.rejects(kintone("import", ...login, "--app", "1", "--file-path", csv("bad.csv", '"code","rank"\n"K9","Z"\n')), /CB_VA01|rank/);

// Attachments, in and out.
const papers = join(folder, "in");
mkdirSync(join(papers, "docs"), { recursive: true });
writeFileSync(join(papers, "docs", "契約.txt"), "署名済み");
await kintone("import", ...login, "--app", "1", "--attachments-dir", papers,
  "--file-path", csv("files.csv", '"code","papers"\n"K4","docs/契約.txt"\n'));
const taken = join(folder, "out");
mkdirSync(taken, { recursive: true });
out = await kintone("export", ...login, "--app", "1", "--attachments-dir", taken, "--condition", 'code = "K4"', "--fields", "code,papers");
const path = lines(out)[1].match(/"K4","([^"]+)"/)[1];
assert.equal(readFileSync(join(taken, path), "utf8"), "署名済み");
assert.ok(readdirSync(taken).length > 0);

// Delete: by a file of record numbers, then all.
out = await kintone("export", ...login, "--app", "1", "--condition", 'code like "K1" or code in ("K1")', "--fields", "レコード番号");
await kintone("delete", ...token("token-customers"), "--app", "1", "--yes", "--file-path", csv("delete.csv", out));
out = await kintone("export", ...login, "--app", "1", "--condition", 'code in ("K1")', "--fields", "code");
assert.deepEqual(lines(out), ['"code"']);
await kintone("delete", ...token("token-customers"), "--app", "1", "--yes");
out = await kintone("export", ...login, "--app", "1", "--fields", "code");
assert.deepEqual(lines(out), ['"code"']);

console.log(`${runs} runs of the official command line tool compared`);
