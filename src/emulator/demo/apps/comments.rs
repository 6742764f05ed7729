//! The talk under the deals: comments with mentions on 200 of them.

use crate::emulator::app::Comment;
use crate::emulator::demo::Company;
use crate::emulator::demo::dice::Dice;
use crate::emulator::demo::people;

use super::deal::{self, Deal};
use super::{Talks, deals};

/// How many deals have comments.
const COMMENTED: usize = 200;
/// Apart from the deals' own dice.
const SALT: u64 = 0xc0;

const REMARKS: &[&str] = &[
    "見積を確認しました。この条件で進めてください。",
    "先方の決裁が月末になりそうです🙏\n受注予定日を更新します。",
    "値引きは５％までなら可です。",
    "了解しました。",
    "明日の訪問に同行をお願いできますか？",
    "\"納期\" の件、物流課に確認済みです。",
    "O'Brien様より電話あり。折り返しをお願いします。",
    "資料は \\\\srv01\\営業\\提案 にあります。",
    "金額の内訳：\n・本体\t1,200,000円\n・設置\t80,000円",
    "ありがとうございます😊",
    "㈱ｱｵｲ商会の件と混同していました。失礼しました。",
    "競合の見積が出たようです。至急対策会議を！",
];

/// By record id, in the order they were written.
pub(super) fn comments(company: &Company) -> Talks {
    let deals = deal::all(company);
    let step = (deals.len() / COMMENTED).max(1);
    // Every 15th deal, counted so that the newest one is among them.
    let mut talks: Vec<_> = deals.iter().rev().step_by(step).take(COMMENTED).collect();
    talks.reverse();
    talks.into_iter().enumerate().map(|(nth, deal)| (deal.id, talk(company, deal, nth))).collect()
}

fn talk(company: &Company, deal: &Deal, nth: usize) -> Vec<Comment> {
    let mut dice = Dice::new(company.seed, deals::ID ^ SALT, deal.id);
    // A few talks are longer than a page of ten.
    let count = if nth.is_multiple_of(40) { 23 } else { dice.between(1, 8) };
    let now = company.calendar.now();
    let mut at = deal.created_at;
    let mut all = vec![];
    for (id, _) in (1_u64..).zip(0..count) {
        at = (at + dice.between(1, 2_000)).min(now).max(deal.created_at);
        let creator = if dice.chance(50) { deal.owner } else { people::employee(&mut dice) };
        let mentions = mentions(&mut dice, deal, creator);
        let remark = dice.pick(REMARKS);
        let text = match mentions.first() {
            Some((code, "USER")) => format!("{}さん\n{remark}", people::name_of(code)),
            _ => remark.to_owned(),
        };
        all.push(Comment { id, text, creator: creator.into(), created_at: at, mentions });
    }
    all
}

fn mentions(dice: &mut Dice, deal: &Deal, creator: &str) -> Vec<(String, &'static str)> {
    let owner = deal.owner;
    match dice.below(10) {
        0..4 => vec![],
        4..7 if owner != creator && owner != people::RETIRED => vec![(owner.into(), "USER")],
        4..8 => vec![(people::employee(dice).into(), "USER")],
        8 => vec![(people::organization_of(owner).into(), "ORGANIZATION")],
        _ => vec![("managers".into(), "GROUP"), (people::employee(dice).into(), "USER")],
    }
}
