//! 【技術】検査測定値: numbers of up to 30 digits, the most that Kintone keeps.

use crate::emulator::app::{AppDefinition, Cell, Record};
use crate::emulator::demo::Company;
use crate::emulator::demo::cell;
use crate::emulator::demo::dice::Dice;
use crate::emulator::demo::field;
use crate::emulator::demo::form::Form;
use crate::emulator::demo::settings::{self, View};

use super::Entry;

/// The app's id.
pub(super) const ID: u64 = 1_354_866;
/// How many records.
const COUNT: usize = 400;

/// The app.
pub(super) fn definition(company: &Company) -> AppDefinition {
    let mut app = super::base(company, ID, "【技術】検査測定値", "<div>桁数３０・小数１０桁</div>", form());
    app.views = settings::views(ID, VIEWS);
    app.settings = settings::settings_with_precision("測定番号", "WHITE", "30", "10");
    app
}

/// Its records.
pub(super) fn records(company: &Company) -> Vec<Record> {
    super::entries(company, ID, COUNT).map(|entry| record(company, entry)).collect()
}

const VIEWS: &[View] = &[View::List {
    name: "不合格",
    fields: &["測定番号", "測定値", "基準値", "偏差", "判定"],
    filter: "判定 in (\"不合格\") or 偏差 < \"-0.5\"",
    sort: "測定日時 desc",
}];

const DEVICES: &[&str] = &["マイクロメータ №1", "三次元測定機", "天秤（０．１ｍｇ）", "ｵｼﾛｽｺｰﾌﾟ"];
const VERDICTS: &[&str] = &["合格", "不合格", "再測定"];

/// The values that a computer's floating point gets wrong: 30 digits, 2⁵³ + 1, both ends, the smallest step.
const EXTREMES: &[&str] = &[
    "12345678901234567890.1234567891",
    "-99999999999999999999.9999999999",
    "99999999999999999999.9999999999",
    "9007199254740993",
    "-1234567890123456",
    "0.0000000001",
    "0",
    "0.1",
];

fn form() -> Form {
    Form::default()
        .row(vec![
            field::text("測定番号").required().unique(),
            field::datetime("測定日時"),
            field::drop_down("測定機器", DEVICES),
            field::users("測定者"),
        ])
        .row(vec![
            field::number("測定値").decimals("10"),
            field::number("基準値").decimals("10"),
            field::calc("偏差", "NUMBER", "測定値 - 基準値").decimals("10"),
            field::number("積算カウンタ").label("積算ｶｳﾝﾀ"),
        ])
        .row(vec![field::radio("判定", VERDICTS), field::multi_line("所見"), field::files("波形データ")])
        .finish(false, false)
}

fn record(company: &Company, mut entry: Entry) -> Record {
    let (id, index) = (entry.id, entry.index);
    let dice = &mut entry.dice;
    let at = entry.created_at - dice.between(1, 50);
    let mut cells = vec![
        cell::text(format!("M-{id:05}")),
        if dice.chance(95) { cell::text(company.calendar.datetime(at)) } else { Cell::Empty },
        if dice.chance(94) { cell::text(dice.pick(DEVICES)) } else { Cell::Empty },
        if dice.chance(94) { cell::code("mori") } else { Cell::Empty },
    ];
    value_cells(dice, &mut cells);
    cells.push(match EXTREMES.get(index) {
        Some(extreme) => cell::text(*extreme),
        None if dice.chance(10) => Cell::Empty,
        None => cell::integer(dice.between(1_000_000_000_000_000, 9_999_999_999_999_999)),
    });
    cells.push(if dice.chance(96) { cell::text(dice.pick(VERDICTS)) } else { Cell::Empty });
    cells.push(cell::text(dice.pick(&[
        "",
        "異常なし",
        "温度 23.5℃\n湿度 ５０％",
        "±0.5μm 以内",
        "\"要\" 再校正\tA-1",
    ])));
    let wave = [("波形.csv", "text/csv")];
    cells.push(if dice.chance(30) { cell::files(ID, id, &wave) } else { Cell::Empty });
    entry.record(company, "mori", cells)
}

/// Value, standard and their difference, with ten decimals.
fn value_cells(dice: &mut Dice, cells: &mut Vec<Cell>) {
    let standard = dice.chance(92).then(|| dice.between(1, 500) * 1_000_000_000);
    let near = standard.unwrap_or(5_000_000_000);
    let value = dice.chance(94).then(|| near + dice.between(-9_000_000_000, 9_000_000_000));
    cells.extend([
        cell::maybe(value, |value| cell::decimal(value, 10)),
        cell::maybe(standard, |standard| cell::decimal(standard, 10)),
        cell::decimal(value.unwrap_or(0) - standard.unwrap_or(0), 10),
    ]);
}
