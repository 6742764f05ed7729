//! 顧客管理: the companies that buy.

use crate::emulator::app::{AppDefinition, Cell, Record, Row};
use crate::emulator::demo::Company;
use crate::emulator::demo::calendar::{day_of, jst};
use crate::emulator::demo::cell;
use crate::emulator::demo::dice::Dice;
use crate::emulator::demo::field::{self, Field, Lookup, Related};
use crate::emulator::demo::form::Form;
use crate::emulator::demo::names;
use crate::emulator::demo::people;
use crate::emulator::demo::settings::{self, View};

use super::customer::{Customer, IMPORTED, customer, entries};
use super::{Entry, deals, orders};

/// The app's id.
pub(super) const ID: u64 = 1_354_839;
/// The app's code.
pub(super) const CODE: &str = "CUSTOMERS";
/// A field that looks up a customer and copies its name.
pub(super) fn lookup(code: &'static str, copies: &'static [(&'static str, &'static str)]) -> Field {
    field::text(code).lookup(&Lookup {
        app: ID,
        app_code: CODE,
        key: "顧客コード",
        copies,
        shows: &["顧客コード", "会社名", "ドロップダウン"],
        sort: "顧客コード asc",
    })
}

/// The app.
pub(super) fn definition(company: &Company) -> AppDefinition {
    let mut app =
        super::base(company, ID, "顧客管理", "<div>取引先の台帳です。<b>1社1レコード</b></div>", form());
    app.code = CODE.into();
    app.views = settings::views(ID, VIEWS);
    app.settings = settings::settings("会社名", "BLUE");
    app
}

/// Its records.
pub(super) fn records(company: &Company) -> Vec<Record> {
    let mut row_id = 0;
    entries(company).map(|entry| record(company, entry, &mut row_id)).collect()
}

const VIEWS: &[View] = &[
    View::List {
        name: "取引先一覧",
        fields: &["顧客コード", "会社名", "Company", "ドロップダウン", "担当者", "顧客ランク"],
        filter: "",
        sort: "顧客コード asc",
    },
    View::List {
        name: "Aランク（首都圏）",
        fields: &["会社名", "ドロップダウン", "電話番号", "最終訪問日"],
        filter: "顧客ランク in (\"A\") and ドロップダウン in (\"東京都\", \"神奈川県\")",
        sort: "最終訪問日 desc, 会社名 asc",
    },
    View::List {
        name: "しばらく訪問していない顧客",
        fields: &["会社名", "担当者", "最終訪問日", "次回フォロー日"],
        filter: "最終訪問日 < FROM_TODAY(-90, DAYS) and 最終訪問日 != \"\"",
        sort: "最終訪問日 asc",
    },
    View::Custom { name: "地図", html: "<div id=\"map\"></div>" },
];

fn form() -> Form {
    let (basic, contact, sales) = (basic_rows(), contact_rows(), sales_rows());
    let mut form = Form::default();
    for row in basic.into_iter().chain(contact).chain(sales) {
        form = form.row(row);
    }
    form.table(
        "連絡先",
        vec![
            field::text("氏名"),
            field::text("役職"),
            field::link("連絡先メール", "MAIL"),
            field::link("携帯電話", "CALL"),
            field::date("名刺交換日"),
        ],
    )
    .group(
        "詳細",
        false,
        vec![
            vec![field::multi_line("備考"), field::rich_text("提案メモ")],
            vec![field::files("添付ファイル"), field::spacer("map")],
        ],
    )
    .row(vec![field::related("案件一覧", &DEALS)])
    .row(vec![field::related("受注一覧", &ORDERS)])
    .finish(true, false)
}

const DEALS: Related = Related {
    app: deals::ID,
    app_code: deals::CODE,
    field: "顧客コード",
    related_field: "顧客コード",
    filter: "",
    shows: &["案件番号", "案件名", "金額", "受注予定日"],
    sort: "受注予定日 desc",
};

const ORDERS: Related = Related {
    app: orders::ID,
    app_code: "",
    field: "顧客コード",
    related_field: "顧客コード",
    filter: "出荷状況 not in (\"キャンセル\")",
    shows: &["受注番号", "受注日", "合計金額"],
    sort: "受注日 desc",
};

const RANKS: &[&str] = &["A", "B", "C", "休眠"];
const ROLES: &[&str] = &["販売先", "仕入先", "ＯＥＭ", "サポート契約"];
const INTERESTS: &[&str] = &["事務用品", "オフィス家具", "ＰＣ周辺機器", "安全用品", "飲料・食品"];
const CATEGORIES: &[&str] = &["新規開拓", "既存深耕", "休眠掘り起こし"];

fn basic_rows() -> Vec<Vec<Field>> {
    vec![
        vec![field::label("<div><b>基本情報</b></div>")],
        vec![
            field::text("顧客コード").required().unique().longest("16"),
            field::text("会社名").required(),
            field::text("Company").label("会社名（英語）"),
        ],
        vec![
            field::text("フリガナ").label("会社名（ﾌﾘｶﾞﾅ）"),
            field::drop_down("業種", names::INDUSTRIES),
            field::radio("顧客ランク", RANKS).starts_as("C"),
            field::check_box("取引区分", ROLES).starts_as(vec!["販売先"]),
        ],
        vec![field::rule()],
    ]
}

fn contact_rows() -> Vec<Vec<Field>> {
    vec![
        vec![
            field::text("郵便番号").longest("8"),
            field::drop_down("ドロップダウン", names::PREFECTURES).label("都道府県"),
            field::text("文字列__1行_").label("住所"),
        ],
        vec![
            field::link("電話番号", "CALL"),
            field::link("メールアドレス", "MAIL"),
            field::link("Webサイト", "WEB"),
        ],
    ]
}

fn sales_rows() -> Vec<Vec<Field>> {
    vec![
        vec![
            field::users("担当者"),
            field::organizations("担当部署", "sales"),
            field::groups("閲覧グループ"),
            field::multi_select("関心製品", INTERESTS),
        ],
        vec![
            field::number("資本金").yen(),
            field::number("与信限度額").yen(),
            field::number("数値_0").label("従業員数").unit("人").limits("0", ""),
            field::date("取引開始日"),
        ],
        vec![
            field::date("最終訪問日"),
            field::calc(
                "次回フォロー日",
                "DATE",
                "IF(最終訪問日 = \"\", \"\", 最終訪問日 + 30 * 24 * 60 * 60)",
            ),
            field::datetime("最終連絡日時"),
        ],
    ]
}

fn record(company: &Company, mut entry: Entry, row_id: &mut u64) -> Record {
    let customer = customer(company, &mut entry);
    let creator =
        if entry.index < IMPORTED { people::ADMIN } else { people::writer(&mut entry.dice, customer.owner) };
    let mut cells = Vec::with_capacity(28);
    basic_cells(&customer, entry.index, &mut entry.dice, &mut cells);
    contact_cells(&customer, &entry, &mut cells);
    let dice = &mut entry.dice;
    sales_cells(company, &customer, dice, &mut cells);
    cells.push(Cell::Rows(contacts(company, dice, row_id)));
    cells.push(if dice.chance(30) { cell::text(dice.pick(names::NOTES)) } else { Cell::Empty });
    cells.push(if dice.chance(20) { cell::text(dice.pick(names::PROPOSALS)) } else { Cell::Empty });
    let attached = dice.below(12);
    cells.push(cell::files(ID, entry.id, ATTACHMENTS.get(attached).copied().unwrap_or_default()));
    let category = if dice.chance(80) { vec![dice.pick(CATEGORIES).to_owned()] } else { vec![] };
    Record { categories: category, ..entry.record(company, creator, cells) }
}

const ATTACHMENTS: &[&[(&str, &str)]] = &[
    &[("会社案内.pdf", "application/pdf")],
    &[("取引基本契約書（押印済）.pdf", "application/pdf"), ("名刺.jpg", "image/jpeg")],
    &[("口座情報 \"確認済\".xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")],
];

fn basic_cells(customer: &Customer, index: usize, dice: &mut Dice, cells: &mut Vec<Cell>) {
    cells.extend([
        cell::text(customer.code.as_str()),
        cell::text(customer.name.as_str()),
        if dice.chance(90) { cell::text(customer.english.as_str()) } else { Cell::Empty },
        if dice.chance(95) { cell::text(customer.kana.as_str()) } else { Cell::Empty },
        if dice.chance(94) { cell::text(customer.industry) } else { Cell::Empty },
        if dice.chance(97) { cell::text(rank(index, dice)) } else { Cell::Empty },
        cell::texts(dice.some_of(ROLES, 45)),
    ]);
}

/// The oldest customers buy most.
fn rank(index: usize, dice: &mut Dice) -> &'static str {
    match index {
        0..150 => dice.pick(&["A", "A", "A", "B"]),
        150..600 => dice.pick(&["A", "B", "B", "C"]),
        _ => dice.pick(&["B", "C", "C", "C", "休眠"]),
    }
}

fn contact_cells(customer: &Customer, entry: &Entry, cells: &mut Vec<Cell>) {
    // Made of the record's number, not of chance: an address belongs to one customer.
    let id = entry.id;
    let known = |nth: u64| !(id + nth).is_multiple_of(17);
    let domain = names::DOMAINS.get(entry.index % names::DOMAINS.len()).copied().unwrap_or_default();
    let when = |known: bool, text: String| if known { cell::text(text) } else { Cell::Empty };
    cells.extend([
        when(known(1), customer.postal_code.clone()),
        when(known(2), customer.prefecture.to_owned()),
        customer.address_cell(),
        when(known(3), format!("0{}-{:04}-{:04}", 3 + id % 7, id, (id * 7919) % 10_000)),
        when(known(4), format!("info@c{id:05}.{domain}")),
        when(known(5), format!("https://www.c{id:05}.{domain}/")),
    ]);
}

fn sales_cells(company: &Company, customer: &Customer, dice: &mut Dice, cells: &mut Vec<Cell>) {
    let calendar = &company.calendar;
    let day = day_of(customer.created_at);
    let visited = dice.chance(85).then(|| dice.between(day, calendar.today()));
    let called = dice.chance(80).then(|| {
        let day = dice.between(day, calendar.today() - 1);
        // Some were entered without a time of day: 00:00 in Japan.
        let minute = if dice.chance(20) { 0 } else { dice.between(8 * 60, 19 * 60) };
        jst(day, minute).min(calendar.now())
    });
    let since = day - if dice.chance(70) { dice.between(0, 9_000) } else { 0 };
    cells.extend([
        if dice.chance(96) { cell::code(customer.owner) } else { Cell::Empty },
        if dice.chance(92) { cell::code(people::organization_of(customer.owner)) } else { Cell::Empty },
        if dice.chance(30) { cell::code(dice.pick(people::GROUPS).0) } else { Cell::Empty },
        cell::texts(dice.some_of(INTERESTS, 30)),
        capital(dice),
        credit(dice),
        if dice.chance(90) { cell::integer(dice.between(0, 60) * dice.between(1, 200)) } else { Cell::Empty },
        if dice.chance(95) { cell::text(calendar.date(since)) } else { Cell::Empty },
        cell::maybe(visited, |day| cell::text(calendar.date(day))),
        cell::maybe(visited, |day| cell::text(calendar.date(day + 30))),
        cell::maybe(called, |instant| cell::text(calendar.datetime(instant))),
    ]);
}

/// Empty, 0, round sums, and now and then all the digits that the app keeps: twelve and four decimals.
fn capital(dice: &mut Dice) -> Cell {
    match dice.below(100) {
        0..8 => Cell::Empty,
        8..11 => cell::integer(0),
        11 => cell::decimal(dice.between(1_000_000_000_000_001, 9_999_999_999_999_999), 4),
        _ => cell::integer(dice.between(1, 100) * 1_000_000),
    }
}

/// Empty, 0, and below 0 where a customer owes too much.
fn credit(dice: &mut Dice) -> Cell {
    match dice.below(100) {
        0..15 => Cell::Empty,
        15..22 => cell::integer(0),
        22..26 => cell::integer(-dice.between(1, 5_000) * 1_000),
        _ => cell::integer(dice.between(1, 300) * 100_000),
    }
}

fn contacts(company: &Company, dice: &mut Dice, row_id: &mut u64) -> Vec<Row> {
    let calendar = &company.calendar;
    let count = dice.below(4);
    let mut rows = Vec::with_capacity(count);
    for nth in 0..count {
        *row_id += 1;
        let met = calendar.today() - dice.between(0, 1_000);
        let cells = vec![
            cell::text(dice.pick(names::CONTACTS)),
            if dice.chance(85) { cell::text(dice.pick(names::POSITIONS)) } else { Cell::Empty },
            if dice.chance(80) { cell::text(format!("p{nth}.{row_id}@example.co.jp")) } else { Cell::Empty },
            if dice.chance(60) { cell::text(format!("090-{:04}-{nth:04}", row_id)) } else { Cell::Empty },
            if dice.chance(70) { cell::text(calendar.date(met)) } else { Cell::Empty },
        ];
        rows.push(Row { id: *row_id, cells });
    }
    rows
}
