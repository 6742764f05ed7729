//! Names as they are written and as they are meant.

use super::*;
use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::parser::Parser;

fn check(sql: &str, expect: &str) {
    let dialect = PostgreSqlDialect {};
    let mut statement = Parser::new(&dialect).try_with_sql(sql).unwrap().parse_statement().unwrap();
    crate::engine::dialect::rewrite(&mut statement);
    let ast::Statement::Query(mut query) = statement else { panic!("a query") };
    let table = |name: &str, columns: &[&str]| KnownTable {
        schema: "public".into(),
        name: name.into(),
        columns: columns.iter().map(ToString::to_string).collect(),
    };
    let customers = table("CUSTOMERS", &["$id", "Company", "会社名", "Rank"]);
    let deals = table("DEALS", &["$id", "Amount", "amount", "Company"]);
    let tables = [
        ("customers", &customers),
        ("Customers", &customers),
        ("顧客管理", &customers),
        ("deals", &deals),
        ("\"DEALS\"", &deals),
    ];
    let tables: KnownTables = tables.into_iter().map(|(k, t)| (k.to_owned(), t.clone())).collect();
    resolve(&mut query, &tables);
    assert_eq!(query.to_string(), expect, "{sql}");
}

#[test]
fn columns_and_tables() {
    check("SELECT Company FROM Customers", r#"SELECT "Company" FROM "public"."CUSTOMERS" AS "customers""#);
    check(
        "SELECT 会社名, id FROM 顧客管理 c WHERE c.company = 'x'",
        r#"SELECT "会社名", "$id" FROM "public"."CUSTOMERS" "c" WHERE "c"."Company" = 'x'"#,
    );
    check(
        "SELECT AMOUNT, \"Amount\" FROM deals",
        r#"SELECT "amount", "Amount" FROM "public"."DEALS" AS "deals""#,
    );
    check("SELECT DEALS.id FROM \"DEALS\"", r#"SELECT "DEALS"."$id" FROM "public"."DEALS" AS "DEALS""#);
    check(
        "SELECT public.customers.Rank FROM customers",
        r#"SELECT "customers"."Rank" FROM "public"."CUSTOMERS" AS "customers""#,
    );
    check("SELECT nope FROM customers", r#"SELECT "nope" FROM "public"."CUSTOMERS" AS "customers""#);
}

#[test]
fn output_names() {
    check(
        "SELECT count(*), sum(amount) FROM deals",
        r#"SELECT count(*) AS "count", sum(pg_summand("amount")) AS "sum" FROM "public"."DEALS" AS "deals""#,
    );
    check("SELECT 1, 2, 'x' AS Total", "SELECT 1 AS \"?column?\", 2 AS \"?column?\u{1}2\", 'x' AS \"total\"");
    check(
        "SELECT company, company FROM customers",
        "SELECT \"Company\", \"Company\" AS \"Company\u{1}2\" FROM \"public\".\"CUSTOMERS\" AS \"customers\"",
    );
    check(
        "SELECT upper(company) AS Company FROM customers ORDER BY company",
        r#"SELECT upper("Company") AS "company" FROM "public"."CUSTOMERS" AS "customers" ORDER BY "company""#,
    );
    check(
        "SELECT upper(company) AS u FROM customers GROUP BY U",
        r#"SELECT upper("Company") AS "u" FROM "public"."CUSTOMERS" AS "customers" GROUP BY "u""#,
    );
    check(
        "SELECT rank AS company, count(*) FROM customers GROUP BY company",
        r#"SELECT "Rank" AS "company", count(*) AS "count" FROM "public"."CUSTOMERS" AS "customers" GROUP BY "Company""#,
    );
}

#[test]
fn subqueries_and_ctes() {
    check(
        "SELECT c FROM (SELECT Company AS C FROM customers) t WHERE C <> ''",
        r#"SELECT "c" FROM (SELECT "Company" AS "c" FROM "public"."CUSTOMERS" AS "customers") "t" WHERE "c" <> ''"#,
    );
    check(
        "WITH Big AS (SELECT * FROM customers) SELECT BIG.company FROM big",
        r#"WITH "big" AS (SELECT * FROM "public"."CUSTOMERS" AS "customers") SELECT "big"."Company" FROM "big""#,
    );
    check(
        "SELECT company FROM customers c WHERE EXISTS (SELECT 1 FROM deals d WHERE d.company = c.Company AND rank = 'A')",
        r#"SELECT "Company" FROM "public"."CUSTOMERS" "c" WHERE EXISTS (SELECT 1 AS "?column?" FROM "public"."DEALS" "d" WHERE "d"."Company" = "c"."Company" AND "Rank" = 'A')"#,
    );
    check(
        "SELECT a.company FROM customers a JOIN deals b USING (COMPANY) ORDER BY b.id",
        r#"SELECT "a"."Company" FROM "public"."CUSTOMERS" "a" JOIN "public"."DEALS" "b" USING("Company") ORDER BY "b"."$id""#,
    );
    check(
        "WITH RECURSIVE n(X) AS (SELECT 1 UNION ALL SELECT x + 1 FROM N WHERE X < 3) SELECT x FROM n",
        r#"WITH RECURSIVE "n" ("x") AS (SELECT 1 AS "?column?" UNION ALL SELECT "x" + 1 AS "?column?" FROM "n" WHERE "x" < 3) SELECT "x" FROM "n""#,
    );
    check(
        "SELECT a FROM (VALUES (1, 'x')) AS T(A, b)",
        r#"SELECT "a" FROM (VALUES (1, 'x')) AS "t" ("a", "b")"#,
    );
}
