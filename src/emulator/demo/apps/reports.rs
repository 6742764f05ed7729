//! 日報: everybody's day, with the visits that were made.

use crate::emulator::app::{AppDefinition, Cell, Record, Row};
use crate::emulator::demo::Company;
use crate::emulator::demo::calendar::clock;
use crate::emulator::demo::cell;
use crate::emulator::demo::dice::Dice;
use crate::emulator::demo::field;
use crate::emulator::demo::form::Form;
use crate::emulator::demo::names;
use crate::emulator::demo::people;
use crate::emulator::demo::settings::{self, View};

use super::Entry;
use super::customer::{self, Customer};
use super::customers;

/// The app's id.
pub(super) const ID: u64 = 1_354_845;
/// How many records.
const COUNT: usize = 8_000;

/// The app.
pub(super) fn definition(company: &Company) -> AppDefinition {
    let mut app = super::base(company, ID, "日報", "<div>毎日１８時までに提出してください📝</div>", form());
    app.views = settings::views(ID, VIEWS);
    app.settings = settings::settings("業務内容", "YELLOW");
    app
}

/// Its records.
pub(super) fn records(company: &Company) -> Vec<Record> {
    let customers = customer::all(company);
    let mut row_id = 0;
    super::entries(company, ID, COUNT).map(|entry| record(company, &customers, entry, &mut row_id)).collect()
}

const VIEWS: &[View] = &[
    View::List {
        name: "今週の日報",
        fields: &["日付", "報告者", "業務内容", "勤務時間"],
        filter: "日付 = THIS_WEEK()",
        sort: "日付 desc, 作成日時 desc",
    },
    View::Calendar { name: "カレンダー", date: "日付", title: "業務内容" },
    View::List {
        name: "直行直帰",
        fields: &["日付", "報告者", "出社時刻", "退社時刻"],
        filter: "勤務形態 in (\"直行直帰\") and 出社時刻 < \"09:00\"",
        sort: "日付 desc",
    },
];

const STYLES: &[&str] = &["出社", "在宅", "直行直帰", "出張"];
const MOODS: &[&str] = &["😊", "😐", "😢"];
const WORK: &[&str] = &[
    "顧客訪問と見積作成",
    "社内会議",
    "電話フォロー 10件",
    "展示会の準備",
    "月末の請求処理",
    "研修（１日目）",
    "在庫の棚卸",
];
const TEXTS: &[&str] = &[
    "午前：訪問２件\n午後：見積作成\n\n明日は㈱ｱｵｲ商会へ。",
    "特記事項なし。",
    "【良かった点】\n・新規の引き合いあり\n【課題】\n・\"納期\" の回答が遅い",
    "電車遅延のため 10:30 出社。\t振替なし。",
    "𠮷野さんと髙﨑さんに同行。",
    "共有：\\\\srv01\\日報\\テンプレート を更新しました。",
];

fn form() -> Form {
    let copies = &[("訪問先名", "会社名")];
    Form::default()
        .row(vec![
            field::date("日付").required().starts_now(),
            field::users("報告者").required(),
            field::organizations("所属", ""),
            field::drop_down("勤務形態", STYLES),
        ])
        .row(vec![
            field::time("出社時刻"),
            field::time("退社時刻"),
            field::number("休憩時間").unit("分").starts_as("60"),
            field::calc(
                "勤務時間",
                "HOUR_MINUTE",
                "IF(OR(出社時刻 = \"\", 退社時刻 = \"\"), \"\", 退社時刻 - 出社時刻 - 休憩時間 * 60)",
            ),
            field::calc("定時退社", "TIME", "IF(出社時刻 = \"\", \"\", 出社時刻 + 9 * 60 * 60)"),
        ])
        .row(vec![field::text("業務内容"), field::radio("気分", MOODS), field::number("訪問件数").unit("件")])
        .row(vec![field::multi_line("報告"), field::rich_text("所感")])
        .table(
            "訪問記録",
            vec![
                customers::lookup("訪問先コード", copies),
                field::text("訪問先名"),
                field::time("訪問時刻"),
                field::number("面談時間").unit("分"),
                field::check_box("同行", &["上長", "技術"]),
            ],
        )
        .row(vec![field::users("確認者"), field::datetime("確認日時")])
        .finish(false, false)
}

fn record(company: &Company, customers: &[Customer], mut entry: Entry, row_id: &mut u64) -> Record {
    let day = entry.day();
    let calendar = &company.calendar;
    let dice = &mut entry.dice;
    let reporter = if dice.chance(70) { people::seller(dice, calendar, day) } else { people::employee(dice) };
    let visits = visits(customers, entry.created_at, dice, row_id);
    let mut cells = vec![
        cell::text(calendar.date(day)),
        cell::code(reporter),
        if dice.chance(94) { cell::code(people::organization_of(reporter)) } else { Cell::Empty },
        if dice.chance(92) { cell::text(dice.pick(STYLES)) } else { Cell::Empty },
    ];
    hour_cells(dice, &mut cells);
    let seen = i64::try_from(visits.len()).unwrap_or(0);
    let checked = dice.chance(75).then(|| (entry.created_at + dice.between(30, 3_000)).min(calendar.now()));
    cells.extend([
        if dice.chance(93) { cell::text(dice.pick(WORK)) } else { Cell::Empty },
        if dice.chance(97) { cell::text(dice.pick(MOODS)) } else { Cell::Empty },
        // Nobody counted is not the same as nobody visited.
        if dice.chance(90) { cell::integer(seen) } else { Cell::Empty },
        if dice.chance(90) { cell::text(dice.pick(TEXTS)) } else { Cell::Empty },
        if dice.chance(40) { cell::text(dice.pick(names::PROPOSALS)) } else { Cell::Empty },
        Cell::Rows(visits),
        cell::maybe(checked, |_| cell::code("sato")),
        cell::maybe(checked, |instant| cell::text(calendar.datetime(instant))),
    ]);
    entry.record(company, reporter, cells)
}

fn hour_cells(dice: &mut Dice, cells: &mut Vec<Cell>) {
    let came = dice.chance(95).then(|| dice.between(7 * 12, 10 * 12) * 5);
    let left = dice.chance(93).then(|| dice.between(16 * 12, 23 * 12) * 5);
    let paused = dice.chance(95).then(|| dice.between(0, 6) * 15);
    let worked = came.zip(left).map(|(came, left)| left - came - paused.unwrap_or(0));
    cells.extend([
        cell::maybe(came, |minute| cell::text(clock(minute))),
        cell::maybe(left, |minute| cell::text(clock(minute))),
        cell::maybe(paused, cell::integer),
        cell::maybe(worked, |minutes| cell::text(clock(minutes))),
        cell::maybe(came, |minute| cell::text(clock(minute + 9 * 60))),
    ]);
}

fn visits(customers: &[Customer], instant: i64, dice: &mut Dice, row_id: &mut u64) -> Vec<Row> {
    let count = dice.below(4);
    let mut rows = Vec::with_capacity(count);
    for _ in 0..count {
        *row_id += 1;
        let customer = customer::pick(customers, dice, instant);
        let cells = vec![
            cell::maybe(customer, |customer| cell::text(customer.code.as_str())),
            cell::maybe(customer, |customer| cell::text(customer.name.as_str())),
            if dice.chance(90) { cell::text(clock(dice.between(18, 36) * 30)) } else { Cell::Empty },
            if dice.chance(85) { cell::integer(dice.between(0, 12) * 10) } else { Cell::Empty },
            cell::texts(dice.some_of(&["上長", "技術"], 25)),
        ];
        rows.push(Row { id: *row_id, cells });
    }
    rows
}
