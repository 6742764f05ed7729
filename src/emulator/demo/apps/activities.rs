//! 【営業】活動履歴（旧）: three years of visits and calls, one short record each.
//!
//! The largest app by far, so its cells are plain copies of prepared texts.

use crate::emulator::app::{AppDefinition, Cell, Record};
use crate::emulator::demo::Company;
use crate::emulator::demo::cell;
use crate::emulator::demo::field;
use crate::emulator::demo::form::Form;
use crate::emulator::demo::names;
use crate::emulator::demo::people;
use crate::emulator::demo::settings::{self, View};

use super::Entry;
use super::customer::{self, Customer};
use super::customers;

/// The app's id.
pub(super) const ID: u64 = 1_120_057;
/// How many records.
const COUNT: usize = 200_000;

/// The app.
pub(super) fn definition(company: &Company) -> AppDefinition {
    let description =
        "<div>旧システムから移行した活動履歴。<font color=\"red\">新規入力は日報へ</font></div>";
    let mut app = super::base(company, ID, "【営業】活動履歴（旧）", description, form());
    app.views = settings::views(ID, VIEWS);
    app.settings = settings::settings("顧客名", "BLACK");
    app
}

/// Its records.
pub(super) fn records(company: &Company) -> Vec<Record> {
    let customers = customer::all(company);
    super::entries(company, ID, COUNT).map(|entry| record(company, &customers, entry)).collect()
}

const VIEWS: &[View] = &[
    View::List {
        name: "最近の活動",
        fields: &["活動日時", "顧客名", "担当者", "ドロップダウン", "内容"],
        filter: "活動日 >= FROM_TODAY(-1, MONTHS)",
        sort: "活動日時 desc",
    },
    View::List {
        name: "自分のクレーム対応",
        fields: &["活動日時", "顧客名", "内容"],
        filter: "担当者 in (LOGINUSER()) and ドロップダウン in (\"クレーム\")",
        sort: "活動日時 desc",
    },
];

const KINDS: &[&str] = &["訪問", "電話", "メール", "Web会議", "展示会", "クレーム"];
const RESULTS: &[&str] = &["良好", "普通", "不調", "不在"];
const FLAGS: &[&str] = &["要フォロー", "上長報告"];

fn form() -> Form {
    Form::default()
        .row(vec![field::datetime("活動日時").required(), field::date("活動日")])
        .row(vec![
            customers::lookup("顧客コード", &[("顧客名", "会社名")]),
            field::text("顧客名"),
            field::text("文字列__1行_").label("面談者"),
        ])
        .row(vec![
            field::users("担当者"),
            field::drop_down("ドロップダウン", KINDS).label("活動種別"),
            field::radio("結果", RESULTS),
            field::check_box("チェックボックス", FLAGS).label("フラグ"),
        ])
        .row(vec![
            field::number("数値").label("所要時間").unit("分"),
            field::number("数値_0").label("交通費").yen(),
        ])
        .row(vec![field::multi_line("内容")])
        .finish(false, false)
}

fn record(company: &Company, customers: &[Customer], mut entry: Entry) -> Record {
    let day = entry.day();
    let calendar = &company.calendar;
    let dice = &mut entry.dice;
    let seller = people::seller(dice, calendar, day);
    let customer = if dice.chance(96) { customer::pick(customers, dice, entry.created_at) } else { None };
    // Entered some hours after it happened; without a time of day it is 00:00 in Japan.
    let at = if dice.chance(6) {
        entry.created_at - (entry.created_at + 540).rem_euclid(1_440)
    } else {
        entry.created_at - dice.between(0, 90)
    };
    let cells = vec![
        cell::text(calendar.datetime(at)),
        if dice.chance(97) { cell::text(calendar.date(day)) } else { Cell::Empty },
        cell::maybe(customer, |customer| cell::text(customer.code.as_str())),
        cell::maybe(customer, |customer| cell::text(customer.name.as_str())),
        if dice.chance(70) { cell::text(dice.pick(names::CONTACTS)) } else { Cell::Empty },
        if dice.chance(99) { cell::code(seller) } else { Cell::Empty },
        if dice.chance(97) { cell::text(dice.pick(KINDS)) } else { Cell::Empty },
        if dice.chance(98) { cell::text(dice.pick(RESULTS)) } else { Cell::Empty },
        if dice.chance(15) { cell::texts(dice.some_of(FLAGS, 60)) } else { Cell::Empty },
        if dice.chance(85) { cell::integer(dice.between(1, 24) * 5) } else { Cell::Empty },
        match dice.below(10) {
            0..4 => Cell::Empty,
            4..6 => cell::integer(0),
            _ => cell::integer(dice.between(15, 400) * 10),
        },
        if dice.chance(90) { cell::text(dice.pick(names::TALKS)) } else { Cell::Empty },
    ];
    entry.record(company, seller, cells)
}
