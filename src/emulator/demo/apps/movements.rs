//! 入出庫履歴: what came into and went out of the warehouse; a product's stock is the sum of it.

use crate::emulator::app::{AppDefinition, Cell, Record};
use crate::emulator::demo::Company;
use crate::emulator::demo::cell;
use crate::emulator::demo::field;
use crate::emulator::demo::form::Form;
use crate::emulator::demo::settings::{self, View};

use super::{Entry, products};

/// The app's id.
pub(super) const ID: u64 = 1_354_848;
/// How many records.
const COUNT: usize = 6_000;

const KINDS: &[&str] = &["入庫", "出庫", "棚卸調整"];
const WAREHOUSES: &[&str] = &["東京倉庫", "大阪倉庫", "第２倉庫（川口）"];
const KEEPERS: &[&str] = &["yamamoto", "kobayashi", "nakamura"];

struct Movement {
    /// A place among the products.
    product: usize,
    kind: &'static str,
    /// Never below 0 but in a stock-taking.
    quantity: i64,
}

impl Movement {
    fn change(&self) -> i64 {
        if self.kind == "出庫" { -self.quantity } else { self.quantity }
    }
}

/// The stock of each of the first `kept` products, which are those on the shelves: the sum of its movements.
pub(super) fn stock(company: &Company, kept: usize) -> Vec<i64> {
    let mut stock = vec![0; kept];
    for mut entry in super::entries(company, ID, COUNT) {
        let movement = movement(&mut entry, kept);
        if let Some(total) = stock.get_mut(movement.product) {
            *total += movement.change();
        }
    }
    stock
}

/// The app.
pub(super) fn definition(company: &Company) -> AppDefinition {
    let mut app = super::base(company, ID, "入出庫履歴", "", form());
    app.views = settings::views(ID, VIEWS);
    app.settings = settings::settings("伝票番号", "YELLOW");
    app
}

/// Its records.
pub(super) fn records(company: &Company) -> Vec<Record> {
    let products = products::all(company);
    super::entries(company, ID, COUNT)
        .map(|mut entry| {
            let movement = movement(&mut entry, products::kept());
            let keeper = entry.dice.pick(KEEPERS);
            let cells = cells(company, &products, &movement, keeper, &mut entry);
            entry.record(company, keeper, cells)
        })
        .collect()
}

const VIEWS: &[View] = &[
    View::List {
        name: "今週の入出庫",
        fields: &["移動日時", "商品コード", "商品名", "入出庫区分", "増減数"],
        filter: "移動日時 >= FROM_TODAY(-7, DAYS)",
        sort: "移動日時 desc",
    },
    View::List {
        name: "棚卸差異",
        fields: &["移動日時", "商品コード", "商品名", "数量", "摘要"],
        filter: "入出庫区分 in (\"棚卸調整\") and 数量 != 0",
        sort: "移動日時 desc",
    },
];

fn form() -> Form {
    Form::default()
        .row(vec![
            field::text("伝票番号").required().unique(),
            field::datetime("移動日時").required().starts_now(),
            field::radio("入出庫区分", KINDS).required(),
            field::drop_down("倉庫", WAREHOUSES),
        ])
        .row(vec![
            products::lookup("商品コード", &[("商品名", "商品名")]).required(),
            field::text("商品名"),
            field::number("数量").required(),
            field::calc("増減数", "NUMBER", "IF(入出庫区分 = \"出庫\", -数量, 数量)"),
        ])
        .row(vec![field::users("担当者"), field::multi_line("摘要")])
        .finish(false, false)
}

fn movement(entry: &mut Entry, kept: usize) -> Movement {
    let dice = &mut entry.dice;
    if entry.index < kept {
        // The books open with what is on the shelves.
        return Movement { product: entry.index, kind: "入庫", quantity: dice.between(15, 80) * 10 };
    }
    let product = dice.below(kept);
    let (kind, quantity) = match dice.below(100) {
        0..30 => ("入庫", dice.between(2, 8) * 10),
        30..95 => ("出庫", dice.between(1, 48)),
        _ => ("棚卸調整", dice.between(-8, 3)),
    };
    Movement { product, kind, quantity }
}

fn cells(
    company: &Company,
    products: &[products::Product],
    movement: &Movement,
    keeper: &str,
    entry: &mut Entry,
) -> Vec<Cell> {
    let product = products.get(movement.product);
    // A stock-taking counts at midnight.
    let midnight = movement.kind == "棚卸調整";
    let at = if midnight {
        entry.created_at - (entry.created_at + 540).rem_euclid(1_440)
    } else {
        entry.created_at
    };
    let dice = &mut entry.dice;
    let remark = match movement.kind {
        "棚卸調整" => "棚卸差異\n（実地棚卸による）",
        _ => dice.pick(&["", "", "", "返品\tあり", "至急📦", "客先 'A' 向け", "再入庫"]),
    };
    vec![
        cell::text(format!("W{:07}", entry.id)),
        cell::text(company.calendar.datetime(at)),
        cell::text(movement.kind),
        if dice.chance(95) { cell::text(dice.pick(WAREHOUSES)) } else { Cell::Empty },
        cell::maybe(product, |product| cell::text(product.code.as_str())),
        cell::maybe(product, |product| cell::text(product.name.as_str())),
        cell::integer(movement.quantity),
        cell::integer(movement.change()),
        if dice.chance(93) { cell::code(keeper) } else { Cell::Empty },
        cell::text(remark),
    ]
}
