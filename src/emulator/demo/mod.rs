//! A believable Japanese trading company for the emulator to serve.
//!
//! Takes a seed and a day. Gives a [`World`]: the directory, the apps, and on demand their records and
//! comments, the same for the same seed and day. Each record rolls dice of its own, made from the seed, the
//! app and the record's id. Deliberately absent: anything about HTTP, queries and storage, and the contents
//! of attachments.
//!
//! An app is one file under `apps/`: its form as a table of fields, then a function that makes the cells of
//! one record in the same order.

mod apps;
mod calendar;
mod cell;
mod dice;
mod field;
mod form;
mod names;
mod people;
mod settings;

use super::app::{AppDefinition, Comment, Entity, Record, World};
use apps::APPS;
use calendar::Calendar;

/// The company.
pub struct Company {
    seed: u64,
    calendar: Calendar,
}

impl Company {
    /// The company as it is on `today`, a day in Japan. Nothing was written later than 09:00 on it.
    pub fn new(seed: u64, today: chrono::NaiveDate) -> Self {
        Self { seed, calendar: Calendar::new(today) }
    }
}

impl World for Company {
    fn directory(&self) -> Vec<Entity> {
        people::directory()
    }

    fn apps(&self) -> Vec<AppDefinition> {
        APPS.iter().map(|app| (app.definition)(self)).collect()
    }

    fn records(&self, app: u64) -> Vec<Record> {
        let found = APPS.iter().find(|candidate| candidate.id == app);
        found.map(|app| (app.records)(self)).unwrap_or_default()
    }

    fn comments(&self, app: u64) -> Vec<(u64, Vec<Comment>)> {
        let found = APPS.iter().find(|candidate| candidate.id == app);
        found.map(|app| (app.comments)(self)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet, HashMap};
    use std::time::Instant;

    use chrono::NaiveDate;
    use serde_json::Value;

    use super::*;
    use crate::emulator::app::{Cell, Row};

    const CUSTOMERS: u64 = 1_354_839;
    const PRODUCTS: u64 = 1_354_840;
    const DEALS: u64 = 1_354_841;
    const ORDERS: u64 = 1_354_842;
    const ACTIVITIES: u64 = 1_120_057;

    /// Types that have no cell: their values come from elsewhere, or there is none.
    const WITHOUT_CELL: &[&str] = &[
        "RECORD_NUMBER",
        "CREATOR",
        "CREATED_TIME",
        "MODIFIER",
        "UPDATED_TIME",
        "CATEGORY",
        "STATUS",
        "STATUS_ASSIGNEE",
        "REFERENCE_TABLE",
        "GROUP",
    ];

    fn company() -> Company {
        company_of(1, (2026, 11, 24))
    }

    fn company_of(seed: u64, (year, month, day): (i32, u32, u32)) -> Company {
        Company::new(seed, NaiveDate::from_ymd_opt(year, month, day).unwrap())
    }

    fn definition(company: &Company, id: u64) -> AppDefinition {
        company.apps().into_iter().find(|app| app.id == id).unwrap()
    }

    /// The fields that have a cell, in order.
    fn fields(properties: &serde_json::Map<String, Value>) -> Vec<(&String, &Value)> {
        properties.iter().filter(|(_, field)| !WITHOUT_CELL.contains(&kind(field))).collect()
    }

    fn kind(field: &Value) -> &str {
        field["type"].as_str().unwrap()
    }

    /// Where a field's cell is.
    fn place(app: &AppDefinition, code: &str) -> usize {
        fields(&app.properties).iter().position(|(name, _)| *name == code).unwrap()
    }

    fn column(app: &AppDefinition, table: &str, code: &str) -> usize {
        app.properties[table]["fields"].as_object().unwrap().keys().position(|name| name == code).unwrap()
    }

    fn words(cell: &Cell) -> &str {
        match cell {
            Cell::Text(text) => text,
            _ => "",
        }
    }

    fn rows(cell: &Cell) -> &[Row] {
        match cell {
            Cell::Rows(rows) => rows,
            _ => panic!("not a table: {cell:?}"),
        }
    }

    /// A decimal text in units of 0.0001; unset is 0, as in Kintone's formulas.
    fn units(cell: &Cell) -> i64 {
        let text = words(cell);
        let (sign, text) = text.strip_prefix('-').map_or((1, text), |text| (-1, text));
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        format!("{whole}{part:0<4}").parse::<i64>().unwrap_or(0) * sign
    }

    #[test]
    fn the_company_has_the_apps_that_it_promises() {
        let company = company();
        let seen: Vec<_> = company
            .apps()
            .into_iter()
            .map(|app| (app.name, app.code, app.guest_space, company.records(app.id).len()))
            .collect();
        let expected = [
            ("【営業】活動履歴（旧）", "", None, 200_000),
            ("顧客管理", "CUSTOMERS", None, 2_000),
            ("商品", "PRODUCTS", None, 120),
            ("案件管理", "DEALS", None, 3_000),
            ("受注", "", None, 20_000),
            ("日報", "", None, 8_000),
            ("入出庫履歴", "", None, 6_000),
            ("備品管理", "", None, 300),
            ("備品管理", "", None, 250),
            ("【技術】検査測定値", "", None, 400),
            ("新規取引先申請", "", None, 0),
            ("【共同開発】課題管理", "", Some(5), 180),
        ];
        let expected: Vec<_> = expected
            .map(|(name, code, space, count)| (name.to_owned(), code.to_owned(), space, count))
            .into();
        assert_eq!(seen, expected);
    }

    #[test]
    fn the_same_seed_and_day_give_the_same_company() {
        for app in company().apps().iter().filter(|app| app.id != ACTIVITIES) {
            assert_eq!(company().records(app.id), company().records(app.id), "{}", app.name);
        }
        let last = |seed, day| company_of(seed, day).records(DEALS).pop();
        assert_ne!(last(1, (2026, 11, 24)), last(2, (2026, 11, 24)));
        assert_ne!(last(1, (2026, 11, 24)), last(1, (2026, 11, 25)));
        assert_eq!(company().comments(DEALS), company().comments(DEALS));
    }

    #[test]
    fn every_field_type_and_every_format_of_a_formula_occurs() {
        let mut seen = BTreeSet::new();
        let mut note = |field: &Value| {
            seen.insert(kind(field).to_owned());
            for property in ["format", "protocol"] {
                seen.extend(field[property].as_str().map(ToOwned::to_owned));
            }
            seen.extend(field.get("lookup").map(|_| "LOOKUP".to_owned()));
        };
        let mut places = BTreeSet::new();
        for app in company().apps() {
            for field in app.properties.values() {
                note(field);
                field["fields"]
                    .as_object()
                    .into_iter()
                    .flat_map(|fields| fields.values())
                    .for_each(&mut note);
            }
            let rows =
                app.layout.iter().flat_map(|row| row["fields"].as_array().cloned().unwrap_or_default());
            let grouped = app.layout.iter().filter_map(|row| row["layout"].as_array()).flatten();
            let grouped = grouped.flat_map(|row| row["fields"].as_array().cloned().unwrap_or_default());
            places.extend(rows.chain(grouped).map(|field| kind(&field).to_owned()));
        }
        let expected = "SINGLE_LINE_TEXT MULTI_LINE_TEXT RICH_TEXT NUMBER CALC LINK CHECK_BOX RADIO_BUTTON \
            DROP_DOWN MULTI_SELECT DATE TIME DATETIME USER_SELECT ORGANIZATION_SELECT GROUP_SELECT FILE \
            SUBTABLE LOOKUP REFERENCE_TABLE GROUP CATEGORY STATUS STATUS_ASSIGNEE RECORD_NUMBER CREATOR \
            MODIFIER CREATED_TIME UPDATED_TIME NUMBER_DIGIT HOUR_MINUTE DAY_HOUR_MINUTE WEB CALL MAIL";
        for wanted in expected.split_whitespace() {
            assert!(seen.contains(wanted), "no field is {wanted}");
        }
        for wanted in ["LABEL", "SPACER", "HR"] {
            assert!(places.contains(wanted), "no layout has {wanted}");
        }
    }

    /// Whether a cell may belong to a field of this type.
    fn fits(cell: &Cell, field: &Value) -> bool {
        match (kind(field), cell) {
            ("SUBTABLE", Cell::Rows(rows)) => {
                let columns = field["fields"].as_object().unwrap();
                rows.iter().all(|row| {
                    row.cells.len() == columns.len()
                        && row.cells.iter().zip(columns.values()).all(|(cell, column)| fits(cell, column))
                })
            }
            ("SUBTABLE", _) => false,
            (_, Cell::Empty) => field["required"] != true,
            ("CHECK_BOX" | "MULTI_SELECT", Cell::Texts(texts)) => {
                !texts.is_empty() && texts.iter().all(|text| field["options"].get(text).is_some())
            }
            ("DROP_DOWN" | "RADIO_BUTTON", Cell::Text(text)) => field["options"].get(text).is_some(),
            ("USER_SELECT" | "ORGANIZATION_SELECT" | "GROUP_SELECT", Cell::Codes(codes)) => {
                let kind = kind(field).trim_end_matches("_SELECT");
                let known = people::directory();
                codes
                    .iter()
                    .all(|code| known.iter().any(|entity| entity.kind == kind && entity.code == *code))
            }
            ("FILE", Cell::Files(files)) => !files.is_empty(),
            ("NUMBER", Cell::Text(text)) => number(text),
            ("CALC", Cell::Text(text)) => match field["format"].as_str().unwrap() {
                "NUMBER" | "NUMBER_DIGIT" => number(text),
                "DATE" => text.len() == 10,
                "DATETIME" => text.len() == 20,
                "TIME" => text.len() == 5,
                _ => text.len() >= 5 && text.contains(':'),
            },
            ("DATE", Cell::Text(text)) => text.len() == 10,
            ("TIME", Cell::Text(text)) => text.len() == 5,
            ("DATETIME", Cell::Text(text)) => text.len() == 20 && text.ends_with(":00Z"),
            ("SINGLE_LINE_TEXT", Cell::Text(text)) => !text.is_empty() && !text.contains('\n'),
            ("LINK" | "MULTI_LINE_TEXT" | "RICH_TEXT", Cell::Text(text)) => !text.is_empty(),
            _ => false,
        }
    }

    fn number(text: &str) -> bool {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let plain = digits.chars().all(|c| c.is_ascii_digit() || c == '.');
        plain && (!digits.contains('.') || !digits.ends_with('0')) && !digits.is_empty()
    }

    #[test]
    fn each_cell_fits_its_field() {
        let company = company();
        for app in company.apps() {
            let fields = fields(&app.properties);
            for record in company.records(app.id).iter().step_by(if app.id == ACTIVITIES { 40 } else { 1 }) {
                assert_eq!(record.cells.len(), fields.len(), "{} {}", app.name, record.id);
                for (cell, (code, field)) in record.cells.iter().zip(&fields) {
                    assert!(fits(cell, field), "{} {}: {code} holds {cell:?}", app.name, record.id);
                }
            }
        }
    }

    #[test]
    fn every_optional_field_is_empty_somewhere_and_filled_elsewhere() {
        for seed in [1, 7] {
            let company = company_of(seed, (2026, 11, 24));
            for app in company.apps() {
                let records = company.records(app.id);
                for (at, (code, field)) in fields(&app.properties).iter().enumerate() {
                    let empty = |cell: &Cell| match cell {
                        Cell::Rows(rows) => rows.is_empty(),
                        other => *other == Cell::Empty,
                    };
                    let optional = field["required"] != true && kind(field) != "CALC";
                    let some_empty = records.iter().any(|record| empty(&record.cells[at]));
                    let some_filled = records.iter().any(|record| !empty(&record.cells[at]));
                    if !records.is_empty() {
                        // A copy is empty where its key or its source is, which need not occur.
                        let copy = ["商品名", "顧客名"].contains(&code.as_str());
                        assert!(some_empty || !optional || copy, "{} {code} is never empty", app.name);
                        assert!(some_filled, "{} {code} is always empty", app.name);
                    }
                }
            }
        }
    }

    #[test]
    fn ids_ascend_with_few_gaps_and_nothing_is_from_the_future() {
        for today in [(2026, 11, 24), (2027, 2, 28), (2028, 2, 29), (2026, 11, 22)] {
            let company = company_of(3, today);
            let end = company.calendar.now();
            for app in company.apps() {
                let records = company.records(app.id);
                assert!(
                    records.is_sorted_by(|a, b| a.id < b.id && a.created_at <= b.created_at),
                    "{}",
                    app.name
                );
                assert!(
                    records.iter().all(|r| r.created_at <= r.updated_at && r.updated_at <= end),
                    "{}",
                    app.name
                );
                let last = records.last().map_or(0, |record| record.id);
                let deleted = last - u64::try_from(records.len()).unwrap();
                assert!(deleted * 20 <= last, "{}: {deleted} of {last} are deleted", app.name);
                assert!(app.created_at <= app.modified_at && app.modified_at <= end, "{}", app.name);
            }
            for (_, talk) in company.comments(DEALS) {
                assert!(talk.is_sorted_by_key(|comment| (comment.id, comment.created_at)));
                assert!(talk.iter().all(|comment| comment.created_at <= end));
            }
        }
    }

    #[test]
    fn what_has_happened_is_not_in_the_future() {
        let company = company();
        let (today, now) = ("2026-11-24", company.calendar.datetime(company.calendar.now()));
        let past: &[(u64, &[&str])] = &[
            (CUSTOMERS, &["取引開始日", "最終訪問日", "最終連絡日時"]),
            (DEALS, &["商談開始日", "受注日"]),
            (ORDERS, &["受注日", "出荷日時"]),
            (1_354_845, &["日付", "確認日時"]),
            (1_354_848, &["移動日時"]),
            (1_354_901, &["受付日時", "完了日時"]),
            (ACTIVITIES, &["活動日時", "活動日"]),
        ];
        for (id, codes) in past {
            let app = definition(&company, *id);
            let records = company.records(*id);
            for code in *codes {
                let at = place(&app, code);
                let latest = records.iter().map(|record| words(&record.cells[at])).max().unwrap();
                let end = if latest.len() == 10 { today } else { &now };
                assert!(latest <= end, "{} {code}: {latest}", app.name);
            }
        }
    }

    #[test]
    fn comments_are_on_two_hundred_deals_and_mention_known_people() {
        let company = company();
        let known = company.directory();
        let deals: BTreeSet<_> = company.records(DEALS).iter().map(|record| record.id).collect();
        let talks = company.comments(DEALS);
        assert_eq!(talks.len(), 200);
        assert!(talks.iter().any(|(_, talk)| talk.len() > 10));
        let mut kinds = BTreeSet::new();
        for (deal, talk) in &talks {
            assert!(deals.contains(deal));
            for (code, kind) in talk.iter().flat_map(|comment| &comment.mentions) {
                assert!(known.iter().any(|entity| entity.kind == *kind && entity.code == *code), "{code}");
                kinds.insert(*kind);
            }
        }
        assert_eq!(kinds, BTreeSet::from(["GROUP", "ORGANIZATION", "USER"]));
    }

    /// A lookup: (app, table it is in or empty, its code).
    fn lookups(company: &Company) -> Vec<(AppDefinition, String, Value)> {
        let mut all = vec![];
        for app in company.apps() {
            for (code, field) in app.properties.clone() {
                let columns = field["fields"].as_object().cloned().unwrap_or_default();
                let inner = columns.values().map(|column| (code.clone(), column.clone()));
                let both = inner.chain([(String::new(), field.clone())]);
                let found = both.filter(|(_, field)| field.get("lookup").is_some());
                all.extend(found.map(|(table, field)| (app.clone(), table, field)));
            }
        }
        all
    }

    /// An app's records by their key.
    fn by_key(company: &Company, app: &AppDefinition, key: &str) -> HashMap<String, Vec<Cell>> {
        assert_eq!(app.properties[key]["unique"], true, "{key} of {} is not unique", app.name);
        let key = place(app, key);
        let records = company.records(app.id).into_iter();
        records.map(|record| (words(&record.cells[key]).to_owned(), record.cells)).collect()
    }

    /// How many records, or rows of a table, have the lookup set; each copy is checked against its source.
    fn check_lookup(company: &Company, app: &AppDefinition, table: &str, field: &Value) -> usize {
        let lookup = &field["lookup"];
        let source_id: u64 = lookup["relatedApp"]["app"].as_str().unwrap().parse().unwrap();
        let source = definition(company, source_id);
        assert_eq!(lookup["relatedApp"]["code"].as_str(), Some(source.code.as_str()));
        let sources = by_key(company, &source, lookup["relatedKeyField"].as_str().unwrap());
        let at = |code: &Value| match table {
            "" => place(app, code.as_str().unwrap()),
            table => column(app, table, code.as_str().unwrap()),
        };
        let own = at(&field["code"]);
        let records = company.records(app.id);
        let filled: Vec<_> = records
            .iter()
            .flat_map(|record| match table {
                "" => vec![&record.cells],
                table => rows(&record.cells[place(app, table)]).iter().map(|row| &row.cells).collect(),
            })
            .filter(|cells| cells[own] != Cell::Empty)
            .collect();
        for mapping in lookup["fieldMappings"].as_array().unwrap() {
            let here = at(&mapping["field"]);
            let related = mapping["relatedField"].as_str().unwrap();
            let there = place(&source, related);
            // A price may be older than today's; the next test is about that.
            let older = (related == "単価").then(|| place(&source, "旧単価"));
            for cells in &filled {
                let found = &sources[words(&cells[own])];
                let same = cells[here] == found[there] || older.is_some_and(|old| cells[here] == found[old]);
                assert!(same, "{} {related}: {:?} is not {:?}", app.name, cells[here], found[there]);
            }
        }
        filled.len()
    }

    #[test]
    fn lookups_resolve_and_their_copies_are_those_of_the_source() {
        let company = company();
        let mut checked = BTreeMap::new();
        for (app, table, field) in lookups(&company) {
            let count = check_lookup(&company, &app, &table, &field);
            checked.insert((app.name.clone(), field["code"].to_string()), count);
        }
        assert_eq!(checked.len(), 7, "{checked:?}");
        assert!(checked.values().all(|count| *count > 500), "{checked:?}");
    }

    #[test]
    fn an_order_keeps_the_price_of_its_day() {
        let company = company();
        let (products, orders) = (definition(&company, PRODUCTS), definition(&company, ORDERS));
        let sources = by_key(&company, &products, "商品コード");
        let [now, old, changed] = ["単価", "旧単価", "価格改定日"].map(|code| place(&products, code));
        let [day, table] = ["受注日", "明細"].map(|code| place(&orders, code));
        let [code, price] = ["商品コード", "単価"].map(|code| column(&orders, "明細", code));
        let mut old_prices = 0;
        for order in company.records(ORDERS) {
            for Row { cells, .. } in rows(&order.cells[table]) {
                let product = &sources[words(&cells[code])];
                let before = words(&order.cells[day]) < words(&product[changed]);
                assert_eq!(cells[price], product[if before { old } else { now }], "{}", order.id);
                old_prices += usize::from(before);
            }
        }
        assert!(old_prices > 1_000, "{old_prices}");
    }

    #[test]
    fn the_totals_of_an_order_are_those_of_its_lines() {
        let company = company();
        let app = definition(&company, ORDERS);
        let [table, subtotal, tax, total] =
            ["明細", "小計合計", "消費税", "合計金額"].map(|code| place(&app, code));
        let [price, count, discount, rate, line, line_tax] =
            ["単価", "数量", "値引額", "税率", "小計", "税額"].map(|code| column(&app, "明細", code));
        let mut sizes = BTreeSet::new();
        let mut row_ids = BTreeSet::new();
        for record in company.records(ORDERS) {
            let rows = rows(&record.cells[table]);
            sizes.insert(rows.len());
            let mut sum = 0;
            let mut taxes = 0;
            for Row { id, cells } in rows {
                assert!(row_ids.insert(*id));
                let expected = units(&cells[price]) * units(&cells[count]) / 100_000_000 * 10_000
                    - units(&cells[discount]);
                assert_eq!(units(&cells[line]), expected, "{}", record.id);
                assert_eq!(units(&cells[line_tax]), expected * units(&cells[rate]) / 10_000, "{}", record.id);
                sum += units(&cells[line]);
                taxes += units(&cells[line_tax]);
            }
            let taxes = taxes / 10_000 * 10_000;
            let seen = [subtotal, tax, total].map(|at| units(&record.cells[at]));
            assert_eq!(seen, [sum, taxes, sum + taxes], "{}", record.id);
        }
        assert!(sizes.contains(&0) && sizes.contains(&50) && sizes.contains(&1), "{sizes:?}");
    }

    #[test]
    fn stock_is_the_sum_of_what_moved() {
        let company = company();
        let (products, movements) = (definition(&company, PRODUCTS), definition(&company, 1_354_848));
        let mut sums: HashMap<String, i64> = HashMap::new();
        let [code, change] = ["商品コード", "増減数"].map(|code| place(&movements, code));
        for record in company.records(movements.id) {
            *sums.entry(words(&record.cells[code]).to_owned()).or_default() += units(&record.cells[change]);
        }
        let [code, stock] = ["商品コード", "現在庫数"].map(|code| place(&products, code));
        for record in company.records(PRODUCTS).iter().filter(|record| record.cells[stock] != Cell::Empty) {
            assert_eq!(units(&record.cells[stock]), sums[words(&record.cells[code])]);
        }
    }

    #[test]
    fn won_deals_become_orders_and_open_ones_have_an_assignee() {
        let company = company();
        let deals = company.records(DEALS);
        let app = definition(&company, DEALS);
        let states: BTreeMap<_, usize> = deals.iter().fold(BTreeMap::new(), |mut counts, deal| {
            *counts.entry(deal.status.clone().unwrap()).or_default() += 1;
            counts
        });
        assert!(states.len() == 5 && states.values().all(|count| *count > 20), "{states:?}");
        for deal in &deals {
            let open = !["受注", "失注"].contains(&deal.status.as_deref().unwrap());
            assert_eq!(open, !deal.assignees.is_empty());
            let won_on = &deal.cells[place(&app, "受注日")];
            assert_eq!(deal.status.as_deref() == Some("受注"), *won_on != Cell::Empty);
        }
        let orders = definition(&company, ORDERS);
        let from = place(&orders, "案件番号");
        let ordered: BTreeSet<_> =
            company.records(ORDERS).iter().map(|order| words(&order.cells[from]).to_owned()).collect();
        assert!(ordered.len() > states["受注"] * 9 / 10, "{} of {}", ordered.len(), states["受注"]);
    }

    #[test]
    fn keys_are_unique_and_hard_texts_occur() {
        let company = company();
        let mut keys = BTreeSet::new();
        let mut all = String::new();
        for app in company.apps().iter().filter(|app| app.id != ACTIVITIES) {
            let records = company.records(app.id);
            for (at, (code, field)) in fields(&app.properties).iter().enumerate() {
                let mut seen = BTreeSet::new();
                for record in &records {
                    let cell = &record.cells[at];
                    if field["unique"] == true {
                        assert!(seen.insert(words(cell).to_owned()), "{} {code} repeats {cell:?}", app.name);
                    }
                    if let Cell::Files(files) = cell {
                        assert!(files.iter().all(|file| keys.insert(file.file_key.clone())));
                    }
                    all.push_str(words(cell));
                    all.push('\u{1}');
                }
            }
        }
        for hard in [
            "髙﨑",
            "𠮷野家",
            "㈱",
            "ｱｵｲ",
            "１２３",
            "🌸",
            "\n",
            "\t",
            "\"",
            "'",
            "\\",
            "\u{1}0\u{1}",
            "\u{e0100}",
        ] {
            assert!(all.contains(hard), "no value has {hard:?}");
        }
        assert!(all.contains("\u{1}12345678901234567890.1234567891\u{1}"), "30 digits");
        assert!(all.contains("T15:00:00Z"), "midnight in Japan");
        assert!(
            all.split('\u{1}').any(|text| number(text) && text.len() == 17 && text.contains('.')),
            "16 digits"
        );
    }

    #[test]
    fn views_name_fields_that_exist() {
        for app in company().apps() {
            assert!(app.views.values().any(|view| view["type"] == "LIST"), "{} has no list", app.name);
            for view in app.views.values() {
                let named = view["fields"].as_array().cloned().unwrap_or_default();
                let named = named.iter().chain(view.get("date")).chain(view.get("title"));
                for code in named.filter_map(Value::as_str) {
                    assert!(app.properties.contains_key(code), "{}: {code}", app.name);
                }
            }
            assert_eq!(app.settings["firstMonthOfFiscalYear"], "4");
            let title = app.settings["titleField"]["code"].as_str().unwrap();
            assert!(app.properties.contains_key(title), "{}: {title}", app.name);
        }
    }

    /// The type of a field, and whether it is a table's column.
    fn lookup_kind(app: &AppDefinition, code: &str) -> (String, bool) {
        if let Some(field) = app.properties.get(code) {
            return (kind(field).to_owned(), false);
        }
        let columns = app.properties.values().filter_map(|field| field["fields"].as_object());
        let column = columns.flatten().find(|(name, _)| *name == code);
        (kind(column.unwrap_or_else(|| panic!("{} has no {code}", app.name)).1).to_owned(), true)
    }

    /// Whether Kintone takes an operator for a type (K§3.2), and for a table's column (K§3.3).
    fn takes(kind: &str, column: bool, operator: &str) -> bool {
        let number = ["NUMBER", "CALC", "RECORD_NUMBER"].contains(&kind);
        let time = ["DATE", "TIME", "DATETIME", "CREATED_TIME", "UPDATED_TIME"].contains(&kind);
        match operator {
            "=" | "!=" => !column && (number || time || ["SINGLE_LINE_TEXT", "LINK"].contains(&kind)),
            "<" | ">" | "<=" | ">=" => number || time,
            "in" | "not" => !time && !["MULTI_LINE_TEXT", "RICH_TEXT", "FILE"].contains(&kind),
            _ => false,
        }
    }

    #[test]
    fn the_conditions_of_views_are_ones_that_kintone_takes() {
        let unsorted = ["CHECK_BOX", "MULTI_SELECT", "USER_SELECT", "MULTI_LINE_TEXT", "FILE", "SUBTABLE"];
        let mut conditions = 0;
        for app in company().apps() {
            for view in app.views.values() {
                let condition = view["filterCond"].as_str().unwrap().replace(" or ", " and ");
                for part in condition.split(" and ").filter(|part| !part.is_empty()) {
                    let mut words = part.trim_start_matches('(').split(' ');
                    let (code, operator) = (words.next().unwrap(), words.next().unwrap());
                    let (kind, column) = lookup_kind(&app, code);
                    assert!(takes(&kind, column, operator), "{}: {part}", app.name);
                    conditions += 1;
                }
                for key in view["sort"].as_str().unwrap().split(", ") {
                    let (code, direction) = key.split_once(' ').unwrap();
                    let (kind, column) = lookup_kind(&app, code);
                    assert!(!column && !unsorted.contains(&kind.as_str()), "{}: {key}", app.name);
                    assert!(["asc", "desc"].contains(&direction), "{}: {key}", app.name);
                }
            }
        }
        assert!(conditions > 20);
    }

    #[test]
    fn the_retired_user_is_on_old_records_only() {
        let company = company();
        let retired = company.directory().into_iter().find(|entity| entity.code == people::RETIRED).unwrap();
        assert!(!retired.valid);
        let deals = company.records(DEALS);
        let last = deals.iter().rposition(|deal| deal.creator == people::RETIRED).unwrap();
        let days_ago = (company.calendar.now() - deals[last].created_at) / 1_440;
        assert!(days_ago >= 539, "{days_ago}");
    }

    #[test]
    fn the_customers_of_an_order_are_known_when_it_is_written() {
        let company = company();
        let (customers, orders) = (definition(&company, CUSTOMERS), definition(&company, ORDERS));
        let code = place(&customers, "顧客コード");
        let since: HashMap<_, _> = company
            .records(CUSTOMERS)
            .into_iter()
            .map(|record| (words(&record.cells[code]).to_owned(), record.created_at))
            .collect();
        let code = place(&orders, "顧客コード");
        for order in company.records(ORDERS) {
            assert!(since[words(&order.cells[code])] <= order.created_at, "{}", order.id);
        }
    }

    #[test]
    fn apps_are_listed_at_once_and_made_quickly() {
        let company = company();
        let start = Instant::now();
        assert_eq!(company.apps().len(), 12);
        let listed = start.elapsed();
        let start = Instant::now();
        assert_eq!(company.records(ACTIVITIES).len(), 200_000);
        let made = start.elapsed();
        // Far above what they take alone: other tests run beside this one.
        assert!(listed.as_millis() < 500 && made.as_secs() < 20, "{listed:?}, {made:?}");
    }
}
