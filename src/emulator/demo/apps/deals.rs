//! 案件管理: what may become an order, with process management.

use crate::emulator::app::{AppDefinition, Cell, Record, Row};
use crate::emulator::demo::Company;
use crate::emulator::demo::calendar::{Calendar, day_of, jst};
use crate::emulator::demo::cell;
use crate::emulator::demo::dice::Dice;
use crate::emulator::demo::field::{self, Related};
use crate::emulator::demo::form::Form;
use crate::emulator::demo::names;
use crate::emulator::demo::people;
use crate::emulator::demo::settings::{self, View};

use super::customer::{self, Customer};
use super::deal::{Deal, LOST, QUOTED, TALKING, TODO, WON, deal, entries};
use super::{Entry, customers, orders};

/// The app's id.
pub(super) const ID: u64 = 1_354_841;
/// The app's code.
pub(super) const CODE: &str = "DEALS";
/// The app.
pub(super) fn definition(company: &Company) -> AppDefinition {
    let description = "<div>商談の進捗を管理します。<br />毎週月曜に更新してください。</div>";
    let mut app = super::base(company, ID, "案件管理", description, form());
    app.code = CODE.into();
    app.views = settings::views(ID, VIEWS);
    app.settings = settings::settings("案件名", "RED");
    app.status = settings::process(&[TODO, TALKING, QUOTED, WON, LOST], &[WON, LOST], "担当者", ACTIONS);
    app
}

/// Its records.
pub(super) fn records(company: &Company) -> Vec<Record> {
    let customers = customer::all(company);
    let mut row_id = 0;
    entries(company).map(|entry| record(company, &customers, entry, &mut row_id)).collect()
}

const ACTIONS: &[settings::Action] = &[
    ("商談を開始する", TODO, TALKING),
    ("見積を提出する", TALKING, QUOTED),
    ("商談に戻す", QUOTED, TALKING),
    ("受注する", QUOTED, WON),
    ("失注にする", TALKING, LOST),
    ("失注とする", QUOTED, LOST),
];

const VIEWS: &[View] = &[
    View::List {
        name: "今月の商談",
        fields: &["案件番号", "案件名", "顧客名", "金額", "確度", "受注予定日", "ステータス", "担当者"],
        filter: "ステータス in (\"商談中\", \"見積提出\") and 受注予定日 = THIS_MONTH()",
        sort: "受注予定日 asc, 金額 desc",
    },
    View::List {
        name: "期限切れの案件",
        fields: &["案件名", "顧客名", "受注予定日", "ステータス", "作業者"],
        filter: "受注予定日 < TODAY() and ステータス not in (\"受注\", \"失注\")",
        sort: "受注予定日 asc",
    },
    View::List {
        name: "大型案件",
        fields: &["案件名", "顧客名", "金額", "加重金額"],
        filter: "金額 >= 10000000 and (確度 >= 50 or ステータス in (\"受注\"))",
        sort: "金額 desc",
    },
    View::Calendar { name: "受注予定カレンダー", date: "受注予定日", title: "案件名" },
    View::Mine { fields: &["案件番号", "案件名", "ステータス"] },
];

const GOODS: &[&str] = &["事務用品", "オフィス家具", "ＰＣ周辺機器", "安全用品", "飲料・食品", "サービス"];
const RIVALS: &[&str] = &["Ａ社", "㈱Ｂ商会", "ネット通販", "内製"];
const REASONS: &[&str] = &["価格", "納期", "機能", "予算凍結", "その他"];
const MEANS: &[&str] = &["訪問", "電話", "Web会議", "メール"];
const STEPS: &[&str] =
    &["見積書の送付", "決裁者との面談", "サンプルの手配", "\"最終条件\" の提示", "電話フォロー"];

fn form() -> Form {
    let names = &[("顧客名", "会社名"), ("文字列__1行_", "文字列__1行_")];
    Form::default()
        .row(vec![
            field::text("案件番号").required().unique().longest("16"),
            field::text("案件名").required(),
            customers::lookup("顧客コード", names).required(),
            field::text("顧客名"),
            field::text("文字列__1行_").label("顧客住所"),
        ])
        .row(vec![field::users("担当者"), field::organizations("担当部署", "sales"), field::users("関係者")])
        .row(vec![
            field::number("金額").yen(),
            field::number("確度").unit("%").limits("0", "100"),
            field::calc("加重金額", "NUMBER", "金額 * 確度 / 100").yen().decimals("0"),
            field::number("数値_0").label("調整額").yen(),
        ])
        .row(vec![
            field::date("商談開始日").starts_now(),
            field::date("受注予定日"),
            field::date("受注日"),
            field::datetime("次回訪問日時"),
        ])
        .row(vec![
            field::multi_select("提案商品", GOODS),
            field::check_box("競合", RIVALS),
            field::drop_down("ドロップダウン", REASONS).label("失注理由"),
            field::text("次回アクション"),
        ])
        .row(vec![field::label("<div>商談の経過は<i>新しい順</i>に記入</div>"), field::rule()])
        .table(
            "商談経過",
            vec![field::date("経過日"), field::drop_down("手段", MEANS), field::multi_line("経過内容")],
        )
        .group("資料", false, vec![vec![field::multi_line("案件概要"), field::files("見積書")]])
        .row(vec![field::related("受注一覧", &ORDERS)])
        .finish(false, true)
}

const ORDERS: Related = Related {
    app: orders::ID,
    app_code: "",
    field: "案件番号",
    related_field: "案件番号",
    filter: "",
    shows: &["受注番号", "受注日", "合計金額"],
    sort: "受注日 asc",
};

fn probability(dice: &mut Dice, status: &str) -> Option<i64> {
    match status {
        WON => Some(100),
        LOST => Some(0),
        _ if dice.chance(8) => None,
        TODO => Some(dice.between(0, 2) * 10),
        TALKING => Some(dice.between(2, 6) * 10),
        _ => Some(dice.between(5, 9) * 10),
    }
}

fn record(company: &Company, customers: &[Customer], mut entry: Entry, row_id: &mut u64) -> Record {
    let deal = deal(company, customers, &mut entry);
    let customer = customers.get(deal.customer);
    let creator = people::writer(&mut entry.dice, deal.owner);
    let dice = &mut entry.dice;
    let mut cells = vec![
        cell::text(deal.number.as_str()),
        cell::text(deal.subject.as_str()),
        cell::maybe(customer, |customer| cell::text(customer.code.as_str())),
        cell::maybe(customer, |customer| cell::text(customer.name.as_str())),
        cell::maybe(customer, Customer::address_cell),
        if dice.chance(97) { cell::code(deal.owner) } else { Cell::Empty },
        if dice.chance(93) { cell::code(people::organization_of(deal.owner)) } else { Cell::Empty },
        companions(dice),
    ];
    number_cells(&deal, dice, &mut cells);
    date_cells(&company.calendar, &deal, dice, &mut cells);
    choice_cells(&deal, dice, &mut cells);
    cells.push(Cell::Rows(history(&company.calendar, &deal, dice, row_id)));
    cells.push(if dice.chance(60) { cell::text(dice.pick(names::TALKS)) } else { Cell::Empty });
    let quote = format!("見積書_{}.pdf", deal.number);
    let quoted = deal.status != TODO && dice.chance(40);
    cells.push(if quoted { cell::files(ID, deal.id, &[(&quote, "application/pdf")]) } else { Cell::Empty });
    let open = deal.closed_on.is_none();
    let assignees = if open { vec![deal.owner.to_owned()] } else { vec![] };
    Record { status: Some(deal.status.into()), assignees, ..entry.record(company, creator, cells) }
}

fn companions(dice: &mut Dice) -> Cell {
    let first = people::employee(dice);
    let second = people::employee(dice);
    match dice.below(10) {
        0..7 => Cell::Empty,
        7 if first != second => Cell::Codes(vec![first.into(), second.into()]),
        _ => cell::code(first),
    }
}

fn number_cells(deal: &Deal, dice: &mut Dice, cells: &mut Vec<Cell>) {
    let probability = probability(dice, deal.status);
    let weighted = deal.amount.unwrap_or(0) * probability.unwrap_or(0);
    cells.extend([
        cell::maybe(deal.amount, cell::integer),
        cell::maybe(probability, cell::integer),
        cell::decimal(weighted, 2),
        match dice.below(100) {
            0..60 => Cell::Empty,
            60..75 => cell::integer(0),
            75..98 => cell::integer(-dice.between(1, 500) * 100),
            _ => cell::decimal(-dice.between(1_000_000_000_000_001, 9_999_999_999_999_999), 4),
        },
    ]);
}

fn date_cells(calendar: &Calendar, deal: &Deal, dice: &mut Dice, cells: &mut Vec<Cell>) {
    let start = day_of(deal.created_at);
    let visit = (deal.closed_on.is_none() && dice.chance(70)).then(|| {
        let day = calendar.today() + dice.between(-20, 40);
        jst(day, if dice.chance(15) { 0 } else { dice.between(18, 36) * 30 })
    });
    cells.extend([
        if dice.chance(96) { cell::text(calendar.date(start)) } else { Cell::Empty },
        if dice.chance(95) { cell::text(calendar.date(deal.due)) } else { Cell::Empty },
        cell::maybe(deal.won_on(), |day| cell::text(calendar.date(day))),
        cell::maybe(visit, |instant| cell::text(calendar.datetime(instant))),
    ]);
}

fn choice_cells(deal: &Deal, dice: &mut Dice, cells: &mut Vec<Cell>) {
    cells.extend([
        cell::texts(dice.some_of(GOODS, 30)),
        cell::texts(dice.some_of(RIVALS, 20)),
        if deal.status == LOST && dice.chance(85) { cell::text(dice.pick(REASONS)) } else { Cell::Empty },
        if deal.closed_on.is_none() { cell::text(dice.pick(STEPS)) } else { Cell::Empty },
    ]);
}

fn history(calendar: &Calendar, deal: &Deal, dice: &mut Dice, row_id: &mut u64) -> Vec<Row> {
    let start = day_of(deal.created_at);
    let end = deal.closed_on.unwrap_or(calendar.today()).max(start);
    let count = if deal.status == TODO { 0 } else { dice.below(5) };
    let mut rows = Vec::with_capacity(count);
    for _ in 0..count {
        *row_id += 1;
        let cells = vec![
            cell::text(calendar.date(dice.between(start, end))),
            if dice.chance(90) { cell::text(dice.pick(MEANS)) } else { Cell::Empty },
            if dice.chance(90) { cell::text(dice.pick(names::TALKS)) } else { Cell::Empty },
        ];
        rows.push(Row { id: *row_id, cells });
    }
    rows
}
