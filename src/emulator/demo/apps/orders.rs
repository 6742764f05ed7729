//! 受注: what was ordered, line by line.

use crate::emulator::app::{AppDefinition, Cell, Record};
use crate::emulator::demo::Company;
use crate::emulator::demo::calendar::{Calendar, day_of, jst};
use crate::emulator::demo::cell;
use crate::emulator::demo::dice::Dice;
use crate::emulator::demo::field::{self, Lookup};
use crate::emulator::demo::form::Form;
use crate::emulator::demo::people;
use crate::emulator::demo::settings::{self, View};

use super::Entry;
use super::customer::{self, Customer};
use super::customers;
use super::deal::{self, Deal};
use super::deals;
use super::order_lines::{self, Sums, Want};
use super::products::{self, Product};

/// The app's id.
pub(super) const ID: u64 = 1_354_842;
/// How many records.
const COUNT: usize = 20_000;

/// The app.
pub(super) fn definition(company: &Company) -> AppDefinition {
    let mut app = super::base(
        company,
        ID,
        "受注",
        "<div>受注伝票。明細の単価は<u>受注時点</u>の写しです。</div>",
        form(),
    );
    app.views = settings::views(ID, VIEWS);
    app.settings = settings::settings("受注番号", "BLUE");
    app
}

/// Its records.
pub(super) fn records(company: &Company) -> Vec<Record> {
    let customers = customer::all(company);
    let products = products::all(company);
    let mut won: Vec<_> = deal::all(company).into_iter().filter(|deal| deal.won_on().is_some()).collect();
    won.sort_by_key(Deal::won_on);
    let mut won = won.iter().peekable();
    let mut row_id = 0;
    super::entries(company, ID, COUNT)
        .map(|entry| {
            // Each deal that was won becomes the next order.
            let day = entry.day();
            let deal = won.next_if(|deal| deal.won_on().is_some_and(|won| won <= day));
            let sources = Sources { company, customers: &customers, products: &products };
            record(&sources, deal, entry, &mut row_id)
        })
        .collect()
}

struct Sources<'a> {
    company: &'a Company,
    customers: &'a [Customer],
    products: &'a [Product],
}

const VIEWS: &[View] = &[
    View::List {
        name: "今月の受注",
        fields: &["受注番号", "受注日", "顧客名", "合計金額", "出荷状況"],
        filter: "受注日 = THIS_MONTH()",
        sort: "受注日 desc, レコード番号 desc",
    },
    View::List {
        name: "未出荷",
        fields: &["受注番号", "顧客名", "納期", "希望配達時刻", "出荷状況"],
        filter: "出荷状況 in (\"\", \"受付\", \"出荷準備\") and 納期 <= FROM_TODAY(7, DAYS)",
        sort: "納期 asc",
    },
    View::List {
        name: "コピー用紙の受注",
        fields: &["受注番号", "顧客名", "明細"],
        filter: "商品コード in (\"P-0001\") and 数量 >= 10",
        sort: "受注日 desc",
    },
];

const PAYMENTS: &[&str] = &["銀行振込", "口座振替", "代金引換", "クレジットカード"];
const SHIPPING: &[&str] = &["受付", "出荷準備", "出荷済", "キャンセル"];
const REQUESTS: &[&str] = &["納品書不要", "日時指定", "分納可", "のし", "軒先渡し"];

fn form() -> Form {
    let copies = &[("顧客名", "会社名"), ("届け先", "文字列__1行_")];
    Form::default()
        .row(vec![
            field::text("受注番号").required().unique().longest("12"),
            field::date("受注日").required().starts_now(),
            field::date("納期"),
            field::time("希望配達時刻"),
            field::datetime("出荷日時"),
        ])
        .row(vec![
            customers::lookup("顧客コード", copies).required(),
            field::text("顧客名"),
            field::text("届け先"),
            field::text("案件番号").lookup(&DEAL),
            field::text("案件名"),
        ])
        .row(vec![
            field::users("担当者"),
            field::radio("支払方法", PAYMENTS),
            field::drop_down("出荷状況", SHIPPING).starts_as("受付"),
            field::check_box("要望", REQUESTS),
        ])
        .table("明細", order_lines::columns())
        .row(vec![field::rule()])
        .row(vec![
            field::calc("小計合計", "NUMBER_DIGIT", "SUM(小計)").yen(),
            field::calc("消費税", "NUMBER_DIGIT", "ROUNDDOWN(SUM(税額), 0)").yen(),
            field::calc("合計金額", "NUMBER_DIGIT", "小計合計 + 消費税").yen(),
        ])
        .row(vec![field::multi_line("備考")])
        .finish(false, false)
}

const DEAL: Lookup = Lookup {
    app: deals::ID,
    app_code: deals::CODE,
    key: "案件番号",
    copies: &[("案件名", "案件名")],
    shows: &["案件番号", "案件名", "顧客名"],
    sort: "案件番号 desc",
};

fn record(sources: &Sources<'_>, deal: Option<&Deal>, mut entry: Entry, row_id: &mut u64) -> Record {
    let company = sources.company;
    let day = entry.day();
    let dice = &mut entry.dice;
    let customer = match deal {
        Some(deal) => sources.customers.get(deal.customer),
        None => customer::pick(sources.customers, dice, entry.created_at),
    };
    let owner = match (deal, customer) {
        (Some(deal), _) => deal.owner,
        (None, Some(customer)) if customer.owner != people::RETIRED => customer.owner,
        _ => people::seller(dice, &company.calendar, day),
    };
    let want = Want {
        lines: lines(entry.index, dice),
        budget: deal.and_then(|deal| deal.amount),
        day,
        busy: matches!(company.calendar.month(day), 3 | 9),
    };
    let (rows, sums) = order_lines::rows(sources.products, &want, dice, row_id);
    let mut cells = Vec::with_capacity(19);
    cells.push(cell::text(format!("SO-{:06}", entry.id)));
    let shipped = date_cells(&company.calendar, entry.created_at, dice, &mut cells);
    party_cells(customer, deal, &mut cells);
    cells.push(if dice.chance(97) { cell::code(owner) } else { Cell::Empty });
    cells.push(if dice.chance(98) { cell::text(dice.pick(PAYMENTS)) } else { Cell::Empty });
    cells.push(shipping(shipped, dice));
    cells.push(cell::texts(dice.some_of(REQUESTS, 12)));
    cells.push(Cell::Rows(rows));
    sum_cells(&sums, &mut cells);
    cells.push(cell::text(dice.pick(REMARKS)));
    let creator = people::writer(dice, owner);
    entry.record(company, creator, cells)
}

const REMARKS: &[&str] = &[
    "",
    "",
    "",
    "",
    "",
    "請求先は本社（髙﨑様宛）",
    "前回と同じ条件で。\n送料は当社負担。",
    "\"至急\" 在庫引当済み",
    "納品時に\t設置あり",
    "O'Brien様 ご指定品🎁",
];

/// Mostly a few; now and then none or fifty.
fn lines(index: usize, dice: &mut Dice) -> usize {
    match index % 1_000 {
        3 | 503 => 0,
        7 => 50,
        _ => 1 + dice.early(8),
    }
}

fn date_cells(calendar: &Calendar, created_at: i64, dice: &mut Dice, cells: &mut Vec<Cell>) -> bool {
    let day = day_of(created_at);
    let due = day + dice.between(1, 30);
    let due = if dice.chance(25) { calendar.month_end(day) } else { due };
    let shipped = jst(due - 1, if dice.chance(10) { 0 } else { dice.between(9 * 60, 17 * 60) });
    let shipped = (shipped >= created_at && shipped <= calendar.now() && dice.chance(95)).then_some(shipped);
    cells.extend([
        cell::text(calendar.date(day)),
        if dice.chance(92) { cell::text(calendar.date(due)) } else { Cell::Empty },
        if dice.chance(35) {
            cell::text(dice.pick(&["09:00", "12:30", "15:00", "00:00", "23:59"]))
        } else {
            Cell::Empty
        },
        cell::maybe(shipped, |instant| cell::text(calendar.datetime(instant))),
    ]);
    shipped.is_some()
}

fn party_cells(customer: Option<&Customer>, deal: Option<&Deal>, cells: &mut Vec<Cell>) {
    cells.extend([
        cell::maybe(customer, |customer| cell::text(customer.code.as_str())),
        cell::maybe(customer, |customer| cell::text(customer.name.as_str())),
        cell::maybe(customer, Customer::address_cell),
        cell::maybe(deal, |deal| cell::text(deal.number.as_str())),
        cell::maybe(deal, |deal| cell::text(deal.subject.as_str())),
    ]);
}

fn shipping(shipped: bool, dice: &mut Dice) -> Cell {
    cell::text(match dice.below(100) {
        0 => "",
        1 | 2 if !shipped => "キャンセル",
        _ if shipped => "出荷済",
        3..40 => "受付",
        _ => "出荷準備",
    })
}

/// The tax is rounded down to the yen, and only once.
fn sum_cells(sums: &Sums, cells: &mut Vec<Cell>) {
    // Towards zero, as ROUNDDOWN does with a negative sum.
    let tax = sums.tax / 10_000 * 10_000;
    cells.extend([
        cell::decimal(sums.subtotal, 4),
        cell::decimal(tax, 4),
        cell::decimal(sums.subtotal + tax, 4),
    ]);
}
