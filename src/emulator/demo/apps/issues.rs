//! 【共同開発】課題管理: in a guest space, shared with a partner.

use crate::emulator::app::{AppDefinition, Cell, Record};
use crate::emulator::demo::Company;
use crate::emulator::demo::calendar::clock;
use crate::emulator::demo::cell;
use crate::emulator::demo::field;
use crate::emulator::demo::form::Form;
use crate::emulator::demo::people;
use crate::emulator::demo::settings::{self, View};

use super::Entry;

/// The app's id.
pub(super) const ID: u64 = 1_354_901;
/// The guest space that it is in.
const GUEST_SPACE: u64 = 5;
/// How many records.
const COUNT: usize = 180;

/// The app.
pub(super) fn definition(company: &Company) -> AppDefinition {
    let mut app =
        super::base(company, ID, "【共同開発】課題管理", "<div>協力会社と共有しています</div>", form());
    app.guest_space = Some(GUEST_SPACE);
    app.views = settings::views(ID, VIEWS);
    app.settings = settings::settings("件名", "RED");
    app
}

/// Its records.
pub(super) fn records(company: &Company) -> Vec<Record> {
    super::entries(company, ID, COUNT).map(|entry| record(company, entry)).collect()
}

const VIEWS: &[View] = &[View::List {
    name: "未完了の課題",
    fields: &["件名", "優先度", "担当者", "期日"],
    filter: "完了日時 = \"\" and 優先度 in (\"高\", \"中\")",
    sort: "期日 asc",
}];

const LEVELS: &[&str] = &["高", "中", "低"];
const PARTS: &[&str] = &["筐体", "基板", "ﾌｧｰﾑｳｪｱ", "梱包", "取扱説明書"];
const SUBJECTS: &[&str] = &[
    "電源が入らないことがある",
    "ねじ（Ｍ３）の緩み",
    "LEDの色が仕様と違う🔴",
    "説明書の誤字（\"髙\" と \"高\"）",
    "It's too hot at 40℃",
    "塗装のムラ",
];

fn form() -> Form {
    Form::default()
        .row(vec![
            field::text("件名").required(),
            field::drop_down("ドロップダウン", PARTS).label("部位"),
            field::radio("優先度", LEVELS).starts_as("中"),
        ])
        .row(vec![
            field::users("担当者"),
            field::date("期日"),
            field::datetime("受付日時").required(),
            field::datetime("完了日時"),
            field::calc("対応時間", "DAY_HOUR_MINUTE", "IF(完了日時 = \"\", \"\", 完了日時 - 受付日時)"),
        ])
        .row(vec![
            field::number("数値_0").label("進捗率").unit("%"),
            field::multi_line("詳細"),
            field::files("写真"),
        ])
        .finish(false, false)
}

fn record(company: &Company, mut entry: Entry) -> Record {
    let calendar = &company.calendar;
    let (id, at, day) = (entry.id, entry.created_at, entry.day());
    let dice = &mut entry.dice;
    let received = at - dice.between(0, 60);
    let took = dice.between(10, 20_000);
    let done = (dice.chance(80) && received + took < calendar.now()).then_some(took);
    let creator = if dice.chance(60) { people::GUEST } else { "mori" };
    let photos = [("不具合①.jpg", "image/jpeg"), ("log 2.txt", "text/plain")];
    let attached = dice.below(3);
    let cells = vec![
        cell::text(dice.pick(SUBJECTS)),
        if dice.chance(90) { cell::text(dice.pick(PARTS)) } else { Cell::Empty },
        if dice.chance(93) { cell::text(dice.pick(LEVELS)) } else { Cell::Empty },
        if dice.chance(85) {
            cell::code(dice.pick(&["mori", "yamamoto", people::GUEST]))
        } else {
            Cell::Empty
        },
        if dice.chance(80) { cell::text(calendar.date(calendar.month_end(day + 14))) } else { Cell::Empty },
        cell::text(calendar.datetime(received)),
        cell::maybe(done, |took| cell::text(calendar.datetime(received + took))),
        cell::maybe(done, |took| cell::text(clock(took))),
        if done.is_some() {
            cell::integer(100)
        } else if dice.chance(70) {
            cell::integer(dice.between(0, 9) * 10)
        } else {
            Cell::Empty
        },
        cell::text(dice.pick(&[
            "",
            "再現手順：\n1. 起動\n2. 放置",
            "ログ:\tERR=0x1F\\n",
            "発生率は１００台に１台",
        ])),
        cell::files(ID, id, photos.get(..attached).unwrap_or_default()),
    ];
    entry.record(company, creator, cells)
}
