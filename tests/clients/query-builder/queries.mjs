// Queries for the emulator with the opinion of kintone-query-builder, a partner's builder and parser of the query
// language: node queries.mjs SEED COUNT. Needs: npm install kintone-query-builder
// Prints a JSON array of {kind, query, accepted}:
//   built    made by its builder
//   written  written here from the operators of each type, with blanks and brackets where its grammar has them
//   changed  a written one with one thing broken, left out or repeated
//   named    one for each known difference, with its name
import queryBuilder from "kintone-query-builder";

const { KintoneQueryBuilder, KintoneQueryExpression, KintoneQueryParser } = queryBuilder;

let state = BigInt(process.argv[2] ?? 1);
const count = Number(process.argv[3] ?? 100);
const roll = (sides) => {
  state = (state * 6364136223846793005n + 1442695040888963407n) & ((1n << 64n) - 1n);
  return Number((state >> 33n) % BigInt(sides));
};
const pick = (list) => list[roll(list.length)];
const chance = (percent) => roll(100) < percent;
const several = (most, make) => Array.from({ length: 1 + roll(most) }, make);

const equal = ["=", "!="];
const range = ["<", ">", "<=", ">="];
const list = ["in", "not in"];
const like = ["like", "not like"];
const empty = ["is empty", "is not empty"];
const days = ["SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY"];
const units = ["DAYS", "WEEKS", "MONTHS", "YEARS"];

const texts = ["apple", "", "日本語", "say \"hi\"", "back\\slash", "100%", "(a or b)", "and", "TODAY"];
const ids = ["1", "2", "4"];
const moment = () =>
  pick([
    "NOW()", "TODAY()", "YESTERDAY()", "TOMORROW()", "THIS_YEAR()", "LAST_YEAR()", "NEXT_YEAR()",
    `FROM_TODAY(${roll(40) - 20}, ${pick(units)})`,
    `${pick(["THIS", "LAST", "NEXT"])}_WEEK(${chance(50) ? pick(days) : ""})`,
    `${pick(["THIS", "LAST", "NEXT"])}_MONTH(${pick(["", "LAST", String(1 + roll(31))])})`,
  ]);
const day = () => (chance(50) ? pick(["2026-01-10", "2026-03-01"]) : moment().replace("NOW()", "TODAY()"));
const instant = () => (chance(50) ? pick(["2026-01-10T00:00:00Z", "2012-02-03T09:00:00+0900"]) : moment());
const number = () => pick([0, 10, -3.5, 20, "10", "007", 1000000]);

// Field, operators, a value.
const fields = [
  ["$id", [...equal, ...range, ...list], () => pick([...ids, 1, 3])],
  ["RECORD_NUMBER", [...equal, ...range, ...list], () => pick(ids)],
  ["NUMBER", [...equal, ...range, ...list], number],
  ["CALC", [...equal, ...range, ...list], number],
  ["SINGLE_LINE_TEXT", [...equal, ...list], () => pick(texts)],
  ["SINGLE_LINE_TEXT", like, () => pick(texts)],
  ["LINK", [...equal, ...list, ...like], () => pick(texts)],
  ["MULTI_LINE_TEXT", [...like, ...empty], () => pick(texts)],
  ["RICH_TEXT", like, () => pick(texts)],
  ["CHECK_BOX", list, () => pick(["late", "early", ""])],
  ["MULTI_SELECT", list, () => pick(["late", "early", ""])],
  ["RADIO_BUTTON", list, () => pick(["late", "early", ""])],
  ["DROP_DOWN", list, () => pick(["late", "early", ""])],
  ["DATE", [...equal, ...range], day],
  ["TIME", [...equal, ...range], () => pick(["09:30", "23:59"])],
  ["DATETIME", [...equal, ...range], instant],
  ["CREATED_TIME", [...equal, ...range], instant],
  ["UPDATED_TIME", [...equal, ...range], instant],
  ["USER_SELECT", list, () => pick(["sato", "zoe", "", "LOGINUSER()"])],
  ["CREATOR", list, () => pick(["sato", "LOGINUSER()"])],
  ["MODIFIER", list, () => pick(["zoe", "LOGINUSER()"])],
  ["ORGANIZATION_SELECT", list, () => pick(["sales", "PRIMARY_ORGANIZATION()"])],
  ["GROUP_SELECT", list, () => pick(["staff", "admins"])],
  ["STATUS", list, () => pick(["open", "done"])],
  ["STATUS_ASSIGNEE", list, () => pick(["sato", ""])],
  ["FILE", [...like, ...empty], () => "apple"],
  ["T_SINGLE_LINE_TEXT", [...list, ...like], () => pick(texts)],
  ["T_NUMBER", [...range, ...list], number],
  ["T_DATE", [...range, ...list], day],
  ["REFERENCE_TABLE.NUMBER", [...equal, ...range, ...list], number],
];
const sortable = ["$id", "NUMBER", "SINGLE_LINE_TEXT", "DATE", "DROP_DOWN", "CREATOR", "STATUS", "CREATED_TIME"];

const predicate = () => {
  const [field, operators, value] = pick(fields);
  const operator = pick(operators);
  if (empty.includes(operator)) return [field, operator.slice(0, -6), "empty"];
  return [field, operator, list.includes(operator) ? several(3, value) : value()];
};

function built() {
  const builder = new KintoneQueryBuilder();
  const add = (expression, depth) => {
    for (const method of several(3, () => pick(["andWhere", "orWhere"]))) {
      if (depth < 2 && chance(25)) {
        const inner = new KintoneQueryExpression();
        add(inner, depth + 1);
        expression[method](inner);
      } else {
        expression[method](...predicate());
      }
    }
  };
  if (chance(90)) add(builder, 0);
  if (chance(50)) several(2, () => builder.orderBy(pick(sortable), pick(["asc", "desc", undefined])));
  if (chance(40)) builder.limit(1 + roll(500));
  if (chance(30)) builder.offset(roll(10001));
  return builder.build();
}

const blank = () => " ".repeat(1 + roll(3));
const maybe = () => " ".repeat(roll(3));
const isFunction = (value) => /^[A-Z_]+\(.*\)$/.test(value);
const literal = (value) => {
  if (typeof value === "number") return String(value);
  return isFunction(value) ? value : `"${value.replace(/[\\"]/g, "\\$&")}"`;
};

function condition(depth) {
  if (depth < 3 && chance(30)) {
    const parts = several(3, () => condition(depth + 1));
    const joined = parts.reduce((all, part) => all + blank() + pick(["and", "or"]) + blank() + part);
    return `(${joined})`;
  }
  const [field, operator, value] = predicate();
  const spaced = operator.split(" ").join(blank());
  if (Array.isArray(value)) {
    return `${field}${blank()}${spaced}${blank()}(${maybe()}${value.map(literal).join(`${maybe()},${maybe()}`)}${maybe()})`;
  }
  if (operator.startsWith("is")) return `${field}${blank()}${spaced}${blank()}empty`;
  const gap = like.includes(operator) ? blank : maybe;
  return `${field}${gap()}${spaced}${gap()}${literal(value)}`;
}

function written() {
  const parts = [];
  if (chance(90)) parts.push(several(3, () => condition(0)).join(`${blank()}${pick(["and", "or"])}${blank()}`));
  if (chance(50)) {
    const keys = several(3, () => pick(sortable) + pick(["", " asc", " desc", "  desc"]));
    parts.push(`order by ${keys.join(`${maybe()},${maybe()}`)}`);
  }
  if (chance(40)) parts.push(`limit${blank()}${1 + roll(500)}`);
  if (chance(30)) parts.push(`offset${blank()}${roll(10001)}`);
  return parts.join(" ");
}

function changed() {
  const query = written();
  const tokens = query.match(/"(?:[^"\\]|\\.)*"|[\w$.]+|\s+|[<>!=]+|./gu) ?? [];
  const at = roll(Math.max(tokens.length, 1));
  const extra = ["not", "and", "\\/", "(", ")", "empty", "limit 0", "limit -1", "\"", "1e5", "'x'", "asc", ",", "日本"];
  switch (roll(5)) {
    case 0: tokens.splice(at, 1); break;
    case 1: tokens.splice(at, 0, tokens[at] ?? ""); break;
    case 2: tokens[at] = (tokens[at] ?? "").toUpperCase(); break;
    case 3: tokens.splice(at, 0, ` ${pick(extra)} `); break;
    default: [tokens[at], tokens[0]] = [tokens[0] ?? "", tokens[at] ?? ""];
  }
  return tokens.join("");
}

const named = {
  "escapes of JSON": 'SINGLE_LINE_TEXT = "a\\/b"',
  "a negative limit": "limit -1",
  "limit 0": "limit 0",
  "a limit above 500": "limit 501",
  "a keyword as a field": "limit = 1",
  "full-width blanks": "NUMBER\u3000=\u300010",
  "tabs and newlines as blanks": "NUMBER\t=\n10",
  "blanks within order by": "order  by $id asc",
  "no blank before a list": 'DROP_DOWN in("late")',
  "blanks within brackets": "( NUMBER = 10 )",
  "blanks within a function": "DATE = TODAY( )",
  "the id of related records": "REFERENCE_TABLE.$id = 1",
  "upper case": "NUMBER = 10 AND NUMBER = 10",
  "a negated bracket": "not (NUMBER = 10)",
  "single quotes": "SINGLE_LINE_TEXT = 'x'",
  "between": "NUMBER between 1 and 2",
  "clauses out of order": "limit 1 order by $id asc",
  "exponents": "NUMBER = 1e1",
  "a constant alone": "1 = 1",
};

const parser = new KintoneQueryParser();
function accepts(query) {
  try {
    parser.parse(query);
    return true;
  } catch {
    return false;
  }
}

const out = [];
const add = (kind, query) => out.push({ kind, query, accepted: accepts(query) });
for (let i = 0; i < count; i += 1) {
  add("built", built());
  add("written", written());
  add("changed", changed());
}
for (const [name, query] of Object.entries(named)) out.push({ kind: "named", name, query, accepted: accepts(query) });
process.stdout.write(JSON.stringify(out));
