//! Who the customers are: what every app that sells to them agrees on.

use crate::emulator::app::Cell;
use crate::emulator::demo::Company;
use crate::emulator::demo::calendar::jst;
use crate::emulator::demo::cell;
use crate::emulator::demo::dice::Dice;
use crate::emulator::demo::names;
use crate::emulator::demo::people;

use super::{Entry, customers};

/// How many records.
const COUNT: usize = 2_000;
/// How many of them were imported on the first day.
pub(super) const IMPORTED: usize = 1_200;

/// What other apps know of a customer.
pub(super) struct Customer {
    /// 顧客コード.
    pub(super) code: String,
    /// 会社名.
    pub(super) name: String,
    /// Company.
    pub(super) english: String,
    /// フリガナ.
    pub(super) kana: String,
    /// 業種.
    pub(super) industry: &'static str,
    /// ドロップダウン, labelled 都道府県.
    pub(super) prefecture: &'static str,
    /// 郵便番号.
    pub(super) postal_code: String,
    /// 文字列__1行_, labelled 住所.
    address: String,
    /// 担当者.
    pub(super) owner: &'static str,
    /// When it was entered.
    pub(super) created_at: i64,
}

impl Customer {
    /// 文字列__1行_, which not every customer has.
    pub(super) fn address_cell(&self) -> Cell {
        cell::text(self.address.as_str())
    }
}

/// All customers, the oldest first.
pub(super) fn all(company: &Company) -> Vec<Customer> {
    entries(company).map(|mut entry| customer(company, &mut entry)).collect()
}

/// A customer that was known at an instant; the old ones come up most.
pub(super) fn pick<'a>(customers: &'a [Customer], dice: &mut Dice, instant: i64) -> Option<&'a Customer> {
    let known = customers.partition_point(|customer| customer.created_at <= instant);
    customers.get(dice.early(known))
}

/// The customers as the app counts them.
pub(super) fn entries(company: &Company) -> impl Iterator<Item = Entry> + '_ {
    super::entries(company, customers::ID, COUNT).map(|entry| {
        let created_at = match entry.index.checked_sub(IMPORTED) {
            // The import ran in the night: 00:00 in Japan, the day before in UTC.
            None => jst(company.calendar.first(), 0),
            Some(later) => company.calendar.written(later, COUNT - IMPORTED),
        };
        Entry { created_at, ..entry }
    })
}

/// The customer of an entry; its dice roll on.
pub(super) fn customer(company: &Company, entry: &mut Entry) -> Customer {
    let day = entry.day();
    let dice = &mut entry.dice;
    let (prefecture, city, postal) =
        names::PLACES.get(dice.early(names::PLACES.len())).copied().unwrap_or_default();
    let (name, kana, english, industry) = match names::OLDEST_CUSTOMERS.get(entry.index) {
        Some((name, kana, english, industry)) => {
            ((*name).to_owned(), (*kana).to_owned(), (*english).to_owned(), *industry)
        }
        None => invented(dice),
    };
    let address = if entry.id.is_multiple_of(17) {
        String::new()
    } else {
        format!("{city}{}-{}-{}", dice.between(1, 9), dice.between(1, 30), dice.between(1, 20))
    };
    Customer {
        code: format!("C{:05}", entry.id),
        name,
        english,
        kana,
        industry,
        prefecture,
        postal_code: format!("{postal}-{:04}", dice.between(1, 99)),
        address,
        owner: people::seller(dice, &company.calendar, day),
        created_at: entry.created_at,
    }
}

fn invented(dice: &mut Dice) -> (String, String, String, &'static str) {
    let (stem, stem_kana, stem_english) = dice.pick(names::STEMS);
    let (trade, trade_kana, trade_english, industry) = dice.pick(names::TRADES);
    let (before, after, form) = dice.pick(names::LEGAL_FORMS);
    (
        format!("{before}{stem}{trade}{after}"),
        format!("{stem_kana}{trade_kana}"),
        format!("{stem_english} {trade_english} {form}"),
        industry,
    )
}
