// node-postgres: values, parameters, prepared statements, cursors, errors, cancel and time limits, as PGHOST and its kin say.
import assert from "node:assert/strict";
import pg from "pg";
import Cursor from "pg-cursor";

const LONG = "株式会社東京本店営業部第一課顧客管理台帳二〇二六年度版関東甲信越地区法人契約更新予定一覧表兼請求書送付先住所録正式運用中改訂三版";
const ENDLESS = "SELECT count(*) FROM generate_series(1, 1000) a, generate_series(1, 100) b, generate_series(1, 1000000) c WHERE a.a + b.b + c.c < 0";

const client = new pg.Client();
await client.connect();
const rows = async (text, values, more = {}) => (await client.query({ text, values, rowMode: "array", ...more })).rows;
const equal = assert.deepEqual;
const passed = (what) => console.log(`passed: node-postgres ${what}`);

async function refused(sqlstate, promise) {
  const error = await promise.then(
    (answer) => assert.fail(`answered: ${JSON.stringify(answer.rows)}`),
    (error) => error,
  );
  assert.equal(error.code, sqlstate, error.message);
  return error;
}

// node-postgres leaves bigint, numeric and time as text.
const CUSTOMERS = [
  ["1", "C001", "青井商店", ["新規", "a,b", 'say "hi"'], "12345678901234567890.0123456789", new Date("2026-03-01T15:30:00Z"), "09:30:00", '一行目\n\t"引用" \\ 終わり', "青井 太郎"],
  ["2", "C002", "O'Brien & Sons", [], "-0.5", null, null, null, undefined],
  ["3", "C003", null, [], null, new Date("2026-07-01T00:00:00Z"), null, null, "高木"],
];
for (const more of [{}, { name: "prepared" }, { name: "prepared" }]) {
  const result = await client.query({ text: 'SELECT * FROM 顧客台帳 ORDER BY "$id"', ...more });
  equal(result.rowCount, 3);
  equal(result.command, "SELECT");
  equal(result.rows.map((r) => [r.$id, r.顧客コード, r.会社名, r.タグ, r.残高, r.面談日時, r.開店, r.メモ, r.連絡先[0]?.value.氏名.value]), CUSTOMERS);
  equal(result.fields.slice(0, 4).map((f) => [f.name, f.dataTypeID, f.columnID]), [["$id", 20, 1], ["$revision", 20, 2], ["顧客コード", 25, 3], ["会社名", 25, 4]]);
}
equal(await rows("SELECT 取引開始日::text FROM 顧客台帳 ORDER BY id"), [["2020-02-29"], [null], ["1999-12-31"]]);
equal(await rows(`SELECT 値 FROM "${LONG}"`), [["長い名前"]]);
equal(await rows("SELECT d.件名, c.会社名 FROM deals d LEFT JOIN 顧客台帳 c ON c.顧客コード = d.顧客 ORDER BY d.id"), [["倉庫", "青井商店"], ["本社", "青井商店"], ["保守", null], ["新規", null]]);
equal(await rows('SELECT "RowIndex", 氏名, 年齢 FROM 顧客台帳_連絡先 WHERE id = $1 ORDER BY 1', [1]), [["1", "青井 太郎", "40"], ["2", "𠮷野 😀", null]]);
equal(await rows("SELECT text, createdat FROM comments WHERE appid = $1", ["1"]), [["確認しました", new Date("2026-03-02T01:00:00Z")]]);
passed("reads the values of every field");

equal(await rows("SELECT 会社名 FROM 顧客台帳 WHERE 残高 = $1 AND 取引開始日 = $2 AND 面談日時 = $3 AND タグ @> $4", [CUSTOMERS[0][4], "2020-02-29", CUSTOMERS[0][5], ["a,b"]]), [["青井商店"]]);
equal(await rows("SELECT 件名 FROM deals WHERE id = ANY($1) ORDER BY id LIMIT $2", [[1, 3], 5]), [["倉庫"], ["保守"]]);
equal(await rows("SELECT $1::text, $2::numeric, $3::boolean, $4::jsonb, $5::int", ["日本語 😀", "1.5", true, { a: [1, null] }, 7]), [["日本語 😀", "1.5", true, { a: [1, null] }, 7]]);
for (const id of [1, 2, 3]) equal(await rows("SELECT 会社名 FROM 顧客台帳 WHERE id = $1", [id], { name: "by id" }), [[CUSTOMERS[id - 1][2]]]);
equal(await rows("SELECT id, 残高 FROM 顧客台帳 WHERE id = 1", [], { binary: true }).then(([[id]]) => String(id)), "1");
passed("sends parameters and prepares statements");

const cursor = client.query(new Cursor("SELECT 件名 FROM deals WHERE id > $1 ORDER BY id", [0], { rowMode: "array" }));
equal([await cursor.read(3), await cursor.read(3), await cursor.read(3)], [[["倉庫"], ["本社"], ["保守"]], [["新規"]], []]);
await cursor.close();
await client.query("BEGIN; DECLARE c CURSOR FOR SELECT 件名 FROM deals ORDER BY id");
equal(await rows("FETCH 2 FROM c"), [["倉庫"], ["本社"]]);
await client.query("COMMIT");
passed("reads by cursors");

for (const [text, sqlstate] of [["SELEC 1", "42601"], ["SELECT * FROM 無い表", "42P01"], ["SELECT 無い列 FROM deals", "42703"], ["SELECT 'x'::int", "22P02"], ["SELECT 1 / 0", "22012"]]) {
  await refused(sqlstate, client.query(text));
  await refused(sqlstate, client.query(text, []));
}
equal((await refused("42703", client.query("SELECT 件名, 無い列 FROM deals"))).position, "12");
await refused("22P02", client.query('SELECT id FROM deals WHERE "Amount" = $1', ["x"]));
passed("sees errors with their SQLSTATE and position");

const other = new pg.Client();
await other.connect();
const running = refused("57014", other.query(ENDLESS));
await new Promise((resolve) => setTimeout(resolve, 500));
new pg.Client().cancel(other, other._activeQuery);
await running;
await other.query("SET statement_timeout = 300");
await refused("57014", other.query(ENDLESS));
await other.end();
passed("cancels, and a time limit ends a statement");

const pool = new pg.Pool({ max: 5 });
const counts = await Promise.all(Array.from({ length: 20 }, (_, n) => pool.query({ text: "SELECT count(*) + $1 FROM deals", values: [n], rowMode: "array" })));
equal(counts.map((r) => Number(r.rows[0][0])), Array.from({ length: 20 }, (_, n) => 4 + n));
await pool.end();
await client.end();
passed("asks on a pool of connections");
