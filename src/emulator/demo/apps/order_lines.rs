//! 明細: the lines of an order, and their sums as Kintone's formulas give them.

use crate::emulator::app::{Cell, Row};
use crate::emulator::demo::cell;
use crate::emulator::demo::dice::Dice;
use crate::emulator::demo::field::{self, Field};

use super::products::{self, Product};

/// The sums of an order, in ten-thousandths of a yen.
#[derive(Default)]
pub(super) struct Sums {
    /// Σ 小計.
    pub(super) subtotal: i64,
    /// Σ 税額.
    pub(super) tax: i64,
}

/// The table's columns, in the order of the cells below.
pub(super) fn columns() -> Vec<Field> {
    let copies = &[("商品名", "商品名"), ("単価", "単価"), ("税率", "税率")];
    vec![
        products::lookup("商品コード", copies),
        field::text("商品名"),
        field::number("単価").yen().decimals("2"),
        field::number("数量").starts_as("1"),
        field::number("値引額").yen(),
        field::number("税率"),
        field::calc("小計", "NUMBER_DIGIT", "ROUNDDOWN(単価 * 数量, 0) - 値引額").yen(),
        field::calc("税額", "NUMBER", "小計 * 税率"),
        field::text("明細備考"),
    ]
}

/// What an order asks for.
pub(super) struct Want {
    /// How many lines.
    pub(super) lines: usize,
    /// About how much they should cost together, in yen; as it comes where there is none.
    pub(super) budget: Option<i64>,
    /// The day of the order: prices are of this day.
    pub(super) day: i64,
    /// In the months before the books close people buy more.
    pub(super) busy: bool,
}

/// The rows, and their sums.
pub(super) fn rows(products: &[Product], want: &Want, dice: &mut Dice, row_id: &mut u64) -> (Vec<Row>, Sums) {
    let mut sums = Sums::default();
    let mut rows = Vec::with_capacity(want.lines);
    for _ in 0..want.lines {
        let Some(product) = products.get(dice.early(products.len())) else { break };
        *row_id += 1;
        let cells = line(product, want, dice, &mut sums);
        rows.push(Row { id: *row_id, cells });
    }
    (rows, sums)
}

fn line(product: &Product, want: &Want, dice: &mut Dice, sums: &mut Sums) -> Vec<Cell> {
    let price = product.price_on(want.day);
    let quantity = quantity(price, want, dice);
    // Whole tens of yen, and no discount is not the same as a discount of 0.
    let discount = match dice.below(20) {
        0..16 => None,
        16 => Some(0),
        _ => Some(price.max(0) * quantity.unwrap_or(0) / 20_000 * 1_000),
    };
    // Whole yen.
    let subtotal = price * quantity.unwrap_or(0) / 100 * 100 - discount.unwrap_or(0);
    let tax = subtotal * product.tax;
    sums.subtotal += subtotal * 100;
    sums.tax += tax;
    vec![
        cell::text(product.code.as_str()),
        cell::text(product.name.as_str()),
        cell::decimal(price, 2),
        cell::maybe(quantity, cell::integer),
        cell::maybe(discount, |discount| cell::decimal(discount, 2)),
        cell::decimal(product.tax, 2),
        cell::decimal(subtotal, 2),
        cell::decimal(tax, 4),
        cell::text(dice.pick(&["", "", "", "", "", "至急", "色は\"黒\"で", "ﾉｼ付き", "分納可"])),
    ]
}

/// Cheap things are bought by the hundred; now and then the number is still open.
fn quantity(price: i64, want: &Want, dice: &mut Dice) -> Option<i64> {
    if price < 0 {
        return Some(1);
    }
    if let Some(budget) = want.budget {
        let share = budget * 100 / i64::try_from(want.lines).unwrap_or(1).max(1);
        return Some((share / price.max(1)).clamp(1, 100_000));
    }
    if dice.chance(1) {
        return None;
    }
    let most = match price {
        ..10_000 => 300,
        10_000..100_000 => 60,
        100_000..1_000_000 => 12,
        _ => 4,
    };
    let quantity = dice.between(1, most);
    Some(if want.busy { quantity * 3 / 2 } else { quantity })
}
