//! Who works at the company: users, organizations and groups.

use crate::emulator::app::Entity;

use super::calendar::Calendar;
use super::dice::Dice;

/// The administrator, and the name on everything that was imported.
pub(super) const ADMIN: &str = "demo";
/// Left the company; still on old records.
pub(super) const RETIRED: &str = "saito";
/// How many days ago that was.
const RETIRED_FOR: i64 = 540;
/// The partner in the guest space.
pub(super) const GUEST: &str = "guest/aoi.mori@partner.example.com";

/// (login code, name, organization, zone).
type Employee = (&'static str, &'static str, &'static str, &'static str);

const TOKYO: &str = "Asia/Tokyo";

/// Everybody who works here; the password is the login code.
const EMPLOYEES: &[Employee] = &[
    ("sato", "佐藤 健一", "sales", TOKYO),
    ("suzuki", "鈴木 美咲", "sales1", TOKYO),
    ("takasaki", "髙﨑 翔太", "sales1", TOKYO),
    ("tanaka", "田中 陽菜", "sales1", TOKYO),
    ("ito", "伊藤 大輔", "sales2", TOKYO),
    ("watanabe", "渡邉 さくら", "sales2", TOKYO),
    ("yoshino", "𠮷野 直樹", "sales2", TOKYO),
    ("smith", "ジョン・スミス", "sales_global", "America/New_York"),
    ("nakamura", "中村 千尋", "general", TOKYO),
    ("kato", "加藤 由美", "accounting", TOKYO),
    ("kobayashi", "小林 拓也", "it", TOKYO),
    ("yamamoto", "山本 隆", "logistics", TOKYO),
    ("mori", "森 結衣", "engineering", TOKYO),
];

/// (code, name, code of the one above).
const ORGANIZATIONS: &[(&str, &str, &str)] = &[
    ("sales", "営業部", ""),
    ("sales1", "第一営業課", "sales"),
    ("sales2", "第二営業課", "sales"),
    ("sales_global", "海外営業課", "sales"),
    ("general", "総務部", ""),
    ("accounting", "経理課", "general"),
    ("it", "情報システム課", "general"),
    ("logistics", "物流課", "general"),
    ("engineering", "技術部", ""),
];

/// (login code, title) of those who have one.
const TITLES: &[(&str, &str)] =
    &[("sato", "部長"), ("suzuki", "課長"), ("ito", "課長"), ("nakamura", "部長"), ("mori", "部長")];

/// (code, name).
pub(super) const GROUPS: &[(&str, &str)] = &[
    ("everyone", "Everyone"),
    ("Administrators", "Administrators"),
    ("managers", "管理職"),
    ("newproduct", "新製品プロジェクト"),
];

/// Those who sell.
pub(super) const SALES: &[&str] =
    &["suzuki", "takasaki", "tanaka", "ito", "watanabe", "yoshino", "smith", "sato"];
/// Those who help them with the paperwork.
const CLERKS: &[&str] = &["nakamura", "kato", "tanaka", "suzuki"];

/// Every user, organization and group.
pub(super) fn directory() -> Vec<Entity> {
    let user =
        |code: &str, name: &str| Entity { password: Some(code.into()), ..Entity::new("USER", code, name) };
    let mut all = vec![Entity { groups: vec!["Administrators".into()], ..user(ADMIN, "デモ 管理者") }];
    all.extend(EMPLOYEES.iter().map(employee_entity));
    all.push(Entity { valid: false, ..user(RETIRED, "齋藤 誠（退職）") });
    all.push(user(GUEST, "森 葵（協力会社）"));
    all.extend(ORGANIZATIONS.iter().map(|(code, name, parent)| Entity {
        parent: Some((*parent).to_owned()).filter(|parent| !parent.is_empty()),
        ..Entity::new("ORGANIZATION", code, name)
    }));
    all.extend(GROUPS.iter().map(|(code, name)| Entity::new("GROUP", code, name)));
    all
}

fn employee_entity((code, name, organization, zone): &Employee) -> Entity {
    let title = TITLES.iter().find(|(holder, _)| holder == code).map_or("", |(_, title)| title);
    let mut profile = serde_json::Map::new();
    if let Some((family, given)) = name.split_once(' ') {
        profile.insert("surName".into(), family.into());
        profile.insert("givenName".into(), given.into());
    }
    profile.insert("email".into(), format!("{code}@example.com").into());
    Entity {
        timezone: (*zone).into(),
        password: Some((*code).into()),
        organizations: vec![((*organization).into(), title.into())],
        primary_organization: Some((*organization).into()),
        groups: if title.is_empty() { vec![] } else { vec!["managers".into()] },
        profile,
        ..Entity::new("USER", code, name)
    }
}

/// A user's display name.
pub(super) fn name_of(code: &str) -> &'static str {
    EMPLOYEES.iter().find(|employee| employee.0 == code).map_or("デモ 管理者", |employee| employee.1)
}

/// A user's organization; that of the retired one too.
pub(super) fn organization_of(code: &str) -> &'static str {
    let found = EMPLOYEES.iter().find(|employee| employee.0 == code);
    found.map_or(if code == RETIRED { "sales1" } else { "general" }, |employee| employee.2)
}

/// Anybody who works here.
pub(super) fn employee(dice: &mut Dice) -> &'static str {
    let at = dice.below(EMPLOYEES.len());
    EMPLOYEES.get(at).map_or(ADMIN, |employee| employee.0)
}

/// A salesperson on a day: the retired one too, while he worked here.
pub(super) fn seller(dice: &mut Dice, calendar: &Calendar, day: i64) -> &'static str {
    if day < calendar.today() - RETIRED_FOR && dice.chance(14) { RETIRED } else { dice.pick(SALES) }
}

/// Who types a seller's records: mostly the seller.
pub(super) fn writer(dice: &mut Dice, seller: &'static str) -> &'static str {
    if dice.chance(85) { seller } else { dice.pick(CLERKS) }
}

/// Who changed a record last: somebody who is still here.
pub(super) fn modifier(dice: &mut Dice, writer: &str) -> String {
    let code = if writer != RETIRED && dice.chance(70) { writer } else { dice.pick(CLERKS) };
    code.to_owned()
}
