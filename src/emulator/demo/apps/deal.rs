//! What the deals are: what the app of deals, its comments and the orders agree on.

use crate::emulator::demo::Company;
use crate::emulator::demo::calendar::year_of;
use crate::emulator::demo::dice::Dice;
use crate::emulator::demo::people;

use super::customer::{self, Customer};
use super::{Entry, deals};

/// How many records.
const COUNT: usize = 3_000;

/// What other apps know of a deal.
pub(super) struct Deal {
    /// The record's id.
    pub(super) id: u64,
    /// 案件番号.
    pub(super) number: String,
    /// 案件名.
    pub(super) subject: String,
    /// A place among the customers.
    pub(super) customer: usize,
    /// 担当者.
    pub(super) owner: &'static str,
    /// 金額.
    pub(super) amount: Option<i64>,
    /// The status.
    pub(super) status: &'static str,
    /// When it was entered.
    pub(super) created_at: i64,
    /// 受注予定日.
    pub(super) due: i64,
    /// The day it was won or lost.
    pub(super) closed_on: Option<i64>,
}

impl Deal {
    /// The day of the order, where it was won.
    pub(super) fn won_on(&self) -> Option<i64> {
        if self.status == WON { self.closed_on } else { None }
    }
}

/// The states, in the order of the process.
pub(super) const TODO: &str = "未着手";
pub(super) const TALKING: &str = "商談中";
pub(super) const QUOTED: &str = "見積提出";
pub(super) const WON: &str = "受注";
pub(super) const LOST: &str = "失注";

/// All deals, the oldest first.
pub(super) fn all(company: &Company) -> Vec<Deal> {
    let customers = customer::all(company);
    entries(company).map(|mut entry| deal(company, &customers, &mut entry)).collect()
}

/// The deals as the app counts them.
pub(super) fn entries(company: &Company) -> impl Iterator<Item = Entry> + '_ {
    super::entries(company, deals::ID, COUNT)
}

/// The deal of an entry; its dice roll on.
pub(super) fn deal(company: &Company, customers: &[Customer], entry: &mut Entry) -> Deal {
    let calendar = &company.calendar;
    let start = entry.day();
    let dice = &mut entry.dice;
    let known = customers.partition_point(|customer| customer.created_at <= entry.created_at);
    let customer = dice.early(known);
    let owner = match customers.get(customer) {
        Some(customer) if customer.owner != people::RETIRED => customer.owner,
        _ => people::seller(dice, calendar, start),
    };
    let cycle = dice.between(14, 120);
    let due = if dice.chance(50) { calendar.month_end(start + cycle) } else { start + cycle };
    let stuck = dice.chance(6);
    let won = dice.chance(45);
    let status = match (calendar.today() - start) * 100 / cycle {
        0..15 => TODO,
        15..55 => TALKING,
        55..100 => QUOTED,
        _ if stuck => dice.pick(&[TALKING, QUOTED]),
        _ if won => WON,
        _ => LOST,
    };
    let closed = status == WON || status == LOST;
    Deal {
        id: entry.id,
        number: format!("D{}-{:05}", year_of(start), entry.id),
        subject: subject(dice, customers.get(customer)),
        customer,
        owner,
        amount: amount(dice, status),
        status,
        created_at: entry.created_at,
        due,
        closed_on: closed.then_some(start + cycle),
    }
}

/// Early deals may have no amount yet; a trial costs nothing.
fn amount(dice: &mut Dice, status: &str) -> Option<i64> {
    let unknown = if status == TODO { 40 } else { 4 };
    if dice.chance(unknown) {
        return None;
    }
    Some(match dice.below(100) {
        0..3 => 0,
        3..60 => dice.between(5, 200) * 10_000,
        60..95 => dice.between(20, 150) * 100_000,
        _ => dice.between(15, 90) * 1_000_000,
    })
}

const SUBJECTS: &[&str] = &[
    "オフィス移転に伴う什器一式",
    "消耗品の年間契約",
    "PC周辺機器の入れ替え",
    "防災用品の更新",
    "新店舗の備品",
    "フリーアドレス化支援",
    "安全用品キャンペーン（旧名称：ｱﾝｾﾞﾝ）",
    "来客用ドリンクサーバー☕",
    "会議室リニューアル",
    "工場向け工具・資材",
];
fn subject(dice: &mut Dice, customer: Option<&Customer>) -> String {
    let subject = dice.pick(SUBJECTS);
    match customer {
        Some(customer) if dice.chance(40) => format!("{}様 {subject}", customer.name),
        _ => subject.to_owned(),
    }
}
