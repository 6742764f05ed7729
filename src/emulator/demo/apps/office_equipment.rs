//! 備品管理, of the general affairs department: furniture and machines. Another app has the same name.

use crate::emulator::app::{AppDefinition, Cell, Record};
use crate::emulator::demo::Company;
use crate::emulator::demo::cell;
use crate::emulator::demo::field;
use crate::emulator::demo::form::Form;
use crate::emulator::demo::settings::{self, View};

use super::Entry;

/// The app's id.
pub(super) const ID: u64 = 1_354_850;
/// How many records.
const COUNT: usize = 300;

/// The app.
pub(super) fn definition(company: &Company) -> AppDefinition {
    let mut app = super::base(company, ID, "備品管理", "<div>総務部の備品台帳</div>", form());
    app.views = settings::views(ID, VIEWS);
    app.settings = settings::settings("品名", "WHITE");
    app
}

/// Its records.
pub(super) fn records(company: &Company) -> Vec<Record> {
    super::entries(company, ID, COUNT).map(|entry| record(company, entry)).collect()
}

const VIEWS: &[View] = &[
    View::List {
        name: "使用中の備品",
        fields: &["備品番号", "品名", "分類", "設置場所", "取得価額"],
        filter: "状態 in (\"使用中\", \"修理中\")",
        sort: "備品番号 asc",
    },
    View::List {
        name: "廃棄済",
        fields: &["備品番号", "品名", "廃棄日"],
        filter: "廃棄日 <= TODAY() and 廃棄日 != \"\"",
        sort: "廃棄日 desc",
    },
];

const KINDS: &[&str] = &["什器", "家電", "車両", "書籍", "消耗品"];
const STATES: &[&str] = &["使用中", "修理中", "予備", "廃棄"];
/// (name, kind, price in yen).
const THINGS: &[(&str, &str, i64)] = &[
    ("会議用テーブル", "什器", 89_000),
    ("ﾎﾜｲﾄﾎﾞｰﾄﾞ", "什器", 24_800),
    ("冷蔵庫 🧊", "家電", 69_800),
    ("空気清浄機", "家電", 39_800),
    ("社用車（品川 ３００ あ 12-34）", "車両", 2_350_000),
    ("電話帳", "書籍", 0),
    ("六法全書", "書籍", 16_500),
    ("コーヒー豆", "消耗品", 1_280),
    ("傘 'ビニール'", "消耗品", 500),
];
const PLACES: &[&str] = &["本社３階", "本社４階 第２会議室", "大阪支店", "川口倉庫", "車庫"];

fn form() -> Form {
    Form::default()
        .row(vec![
            field::text("備品番号").required().unique(),
            field::text("品名").required(),
            field::drop_down("分類", KINDS),
            field::radio("状態", STATES),
        ])
        .row(vec![
            field::number("数量"),
            field::number("単価").yen(),
            field::calc("取得価額", "NUMBER_DIGIT", "数量 * 単価").yen(),
            field::number("耐用年数").unit("年").decimals("1"),
        ])
        .row(vec![
            field::date("購入日"),
            field::date("廃棄日"),
            field::text("設置場所"),
            field::organizations("管理部署", ""),
        ])
        .row(vec![field::link("取扱説明書", "WEB"), field::multi_line("備考")])
        .finish(false, false)
}

fn record(company: &Company, mut entry: Entry) -> Record {
    let calendar = &company.calendar;
    let day = entry.day();
    let id = entry.id;
    let dice = &mut entry.dice;
    let (name, kind, price) = dice.pick(THINGS);
    let count = dice.chance(92).then(|| dice.between(0, 12));
    let price = dice.chance(94).then_some(price);
    let bought = dice.chance(90).then(|| day - dice.between(0, 400));
    let gone = dice.chance(15).then(|| dice.between(day, calendar.today()));
    let state = if gone.is_some() {
        "廃棄"
    } else {
        dice.pick(&["使用中", "使用中", "使用中", "修理中", "予備", ""])
    };
    let cells = vec![
        cell::text(format!("S{id:04}")),
        cell::text(name),
        if dice.chance(93) { cell::text(kind) } else { Cell::Empty },
        cell::text(state),
        cell::maybe(count, cell::integer),
        cell::maybe(price, cell::integer),
        cell::integer(count.unwrap_or(0) * price.unwrap_or(0)),
        if dice.chance(80) { cell::decimal(dice.between(4, 30) * 5, 1) } else { Cell::Empty },
        cell::maybe(bought, |day| cell::text(calendar.date(day))),
        cell::maybe(gone, |day| cell::text(calendar.date(day))),
        if dice.chance(90) { cell::text(dice.pick(PLACES)) } else { Cell::Empty },
        if dice.chance(85) {
            cell::code(dice.pick(&["general", "accounting", "logistics"]))
        } else {
            Cell::Empty
        },
        if dice.chance(40) {
            cell::text(format!("https://manual.example.com/?id={id}&lang=ja"))
        } else {
            Cell::Empty
        },
        cell::text(dice.pick(&["", "", "鍵は総務部\n内線：２１０", "\"破損\" あり", "寄贈品（𠮷野様）"])),
    ];
    entry.record(company, "nakamura", cells)
}
