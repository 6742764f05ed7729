//! 備品管理, of the IT section: computers that are lent out. Another app has the same name.

use crate::emulator::app::{AppDefinition, Cell, Record, Row};
use crate::emulator::demo::Company;
use crate::emulator::demo::calendar::jst;
use crate::emulator::demo::cell;
use crate::emulator::demo::dice::Dice;
use crate::emulator::demo::field;
use crate::emulator::demo::form::Form;
use crate::emulator::demo::people;
use crate::emulator::demo::settings::{self, View};

use super::Entry;

/// The app's id.
pub(super) const ID: u64 = 1_354_861;
/// How many records.
const COUNT: usize = 250;

/// The app.
pub(super) fn definition(company: &Company) -> AppDefinition {
    let mut app = super::base(company, ID, "備品管理", "<div>情報システム課の貸出機器</div>", form());
    app.views = settings::views(ID, VIEWS);
    app.settings = settings::settings("資産番号", "GREEN");
    app
}

/// Its records.
pub(super) fn records(company: &Company) -> Vec<Record> {
    let mut row_id = 0;
    super::entries(company, ID, COUNT).map(|entry| record(company, entry, &mut row_id)).collect()
}

const VIEWS: &[View] = &[
    View::List {
        name: "長期の貸出",
        fields: &["資産番号", "機種", "利用者", "返却期限"],
        filter: "貸出日時 < FROM_TODAY(-90, DAYS) and 貸出日時 != \"\" and 貸出日数 > 0",
        sort: "貸出日時 asc",
    },
    View::List {
        name: "自分が借りている機器",
        fields: &["資産番号", "機種", "返却期限"],
        filter: "利用者 in (LOGINUSER())",
        sort: "資産番号 asc",
    },
];

/// (model, operating system).
const MODELS: &[(&str, &str)] = &[
    ("ノートPC 13型", "Windows 11"),
    ("ノートPC 15型", "macOS"),
    ("タブレット", "iPadOS"),
    ("ＰＣ\"開発用\"", "Linux"),
    ("Wi-Fiルーター", "なし"),
    ("ﾌﾟﾛｼﾞｪｸﾀｰ", "なし"),
];
const SYSTEMS: &[&str] = &["Windows 11", "macOS", "Linux", "iPadOS", "なし"];
const EXTRAS: &[&str] = &["電源アダプタ", "マウス", "ケース", "HDMIケーブル"];
const REPAIRS: &[&str] =
    &["バッテリー交換", "画面割れ", "OS再インストール", "キーボード交換\n（コーヒー☕をこぼした）"];

fn form() -> Form {
    Form::default()
        .row(vec![
            field::text("資産番号").required().unique(),
            field::text("機種").required(),
            field::drop_down("OS", SYSTEMS),
            field::multi_select("付属品", EXTRAS),
        ])
        .row(vec![
            field::users("利用者"),
            field::datetime("貸出日時"),
            field::number("貸出日数").unit("日"),
            field::calc(
                "返却期限",
                "DATETIME",
                "IF(貸出日時 = \"\", \"\", 貸出日時 + 貸出日数 * 24 * 60 * 60)",
            ),
        ])
        .row(vec![
            field::date("保証期限"),
            field::number("月額リース料").yen().decimals("2"),
            field::text("MACアドレス"),
            field::link("内線", "CALL"),
        ])
        .table(
            "修理履歴",
            vec![field::date("修理日"), field::multi_line("修理内容"), field::number("修理費").yen()],
        )
        .row(vec![field::groups("共有グループ"), field::rich_text("注意事項")])
        .finish(false, false)
}

fn record(company: &Company, mut entry: Entry, row_id: &mut u64) -> Record {
    let calendar = &company.calendar;
    let (id, day, created_at) = (entry.id, entry.day(), entry.created_at);
    let dice = &mut entry.dice;
    let lent =
        dice.chance(80).then(|| if dice.chance(20) { jst(day, 0) } else { created_at - dice.between(0, 30) });
    let days = dice.chance(85).then(|| dice.between(0, 52) * 7);
    let due = lent.map(|lent| lent + days.unwrap_or(0) * 24 * 60);
    // Somebody who left still has two.
    let user = if entry.index % 120 == 5 { people::RETIRED } else { people::employee(dice) };
    let (model, system) = dice.pick(MODELS);
    let cells = vec![
        cell::text(format!("IT-{id:05}")),
        cell::text(model),
        if dice.chance(93) { cell::text(system) } else { Cell::Empty },
        cell::texts(dice.some_of(EXTRAS, 45)),
        cell::maybe(lent, |_| cell::code(user)),
        cell::maybe(lent, |instant| cell::text(calendar.datetime(instant))),
        cell::maybe(days, cell::integer),
        cell::maybe(due, |instant| cell::text(calendar.datetime(instant))),
        if dice.chance(85) {
            cell::text(calendar.date(calendar.month_end(day + dice.between(300, 700))))
        } else {
            Cell::Empty
        },
        if dice.chance(70) { cell::decimal(dice.between(150_000, 980_000), 2) } else { Cell::Empty },
        if dice.chance(80) { cell::text(mac(dice)) } else { Cell::Empty },
        if dice.chance(60) { cell::text(format!("03-5555-{:04}", id % 10_000)) } else { Cell::Empty },
        Cell::Rows(repairs(company, day, dice, row_id)),
        if dice.chance(25) { cell::code(dice.pick(people::GROUPS).0) } else { Cell::Empty },
        if dice.chance(30) {
            cell::text("<div>持ち出し時は<b>暗号化</b>を確認 🔒</div>")
        } else {
            Cell::Empty
        },
    ];
    entry.record(company, "kobayashi", cells)
}

fn mac(dice: &mut Dice) -> String {
    format!(
        "00-1B-{:02X}-{:02X}-{:02X}-{:02X}",
        dice.below(256),
        dice.below(256),
        dice.below(256),
        dice.below(256)
    )
}

fn repairs(company: &Company, since: i64, dice: &mut Dice, row_id: &mut u64) -> Vec<Row> {
    let calendar = &company.calendar;
    let count = dice.below(6).saturating_sub(3);
    let mut rows = Vec::with_capacity(count);
    for _ in 0..count {
        *row_id += 1;
        let cells = vec![
            cell::text(calendar.date(dice.between(since, calendar.today()))),
            cell::text(dice.pick(REPAIRS)),
            if dice.chance(80) { cell::integer(dice.between(0, 60) * 1_000) } else { Cell::Empty },
        ];
        rows.push(Row { id: *row_id, cells });
    }
    rows
}
