//! The values that records and literals are drawn from: few, so that they meet, and each at an edge.

/// Short texts that differ in what a search may or may not mind.
pub(super) const TEXTS: &[&str] = &[
    "a",
    "A",
    "ａ",
    "b",
    "0",
    "00",
    "1.0",
    "-0",
    " ",
    "  ",
    "a ",
    " a",
    "ｱ",
    "ア",
    "あ",
    "髙",
    "高",
    "𠮷",
    "㈱",
    "(株)",
    "👍🏽",
    "it's",
    "say \"hi\"",
    "back\\slash",
    "tab\there",
    "line\nbreak",
    "%",
    "_",
    "a%",
    "NULL",
    "\u{301}e",
    "Ⅸ",
];

pub(super) const NUMBERS: &[&str] = &[
    "0",
    "-0",
    "00",
    "1",
    "1.0",
    "-1",
    "0.5",
    "-0.5",
    "10",
    "9.9999999999",
    "-10",
    "1000000",
    "0.0000000001",
    "12345678901234567890",
    "-99999999999999999999",
    "99999999999999999999.0123456789",
];

/// Those that a double is, and so are the sums of a dozen of them.
pub(super) const DOUBLES: &[&str] = &[
    "0",
    "1",
    "2",
    "-1",
    "0.5",
    "-0.5",
    "2.25",
    "10",
    "-10",
    "1000000",
    "17592186044416",
    "-17592186044415",
];

pub(super) const DATES: &[&str] = &[
    "2026-01-31",
    "2026-02-28",
    "2024-02-29",
    "2026-03-31",
    "2026-04-01",
    "2025-12-31",
    "2026-01-01",
    "1999-12-31",
];

pub(super) const TIMES: &[&str] = &["00:00", "00:01", "09:00", "12:00", "12:30", "23:59"];

/// In UTC.
pub(super) const INSTANTS: &[&str] = &[
    "2026-03-31 14:59",
    "2026-03-31 15:00",
    "2026-03-31 15:01",
    "2026-01-01 00:00",
    "2025-12-31 23:59",
    "2024-02-29 12:00",
];

/// The second half of a literal's minute.
pub(super) const SECONDS: &[&str] = &[":00", ":01", ":30", ":59.999999"];

pub(super) const OPTIONS: &[&str] = &["x", "y", "X", "a\"b", "日本", "ｘ"];

/// Literals for choices that are no options of any form.
pub(super) const NO_OPTIONS: &[&str] = &["undefined", "", "a"];

pub(super) const USERS: &[&str] = &["demo", "sato", "suzuki"];
pub(super) const GROUPS: &[&str] = &["managers", "everyone"];
pub(super) const ORGANIZATIONS: &[&str] = &["sales", "大阪"];
pub(super) const STATES: &[&str] = &["未処理", "処理中", "完了"];

/// Codes that are words of Kintone's language, or cannot be named in it, or are of other letters.
pub(super) const CODES: &[&str] = &["limit", "a-b", "And", "数量", "単価・税込", "ｎ１", "_x", "会社 名"];

/// What LIKE looks for.
pub(super) const PATTERNS: &[&str] = &["a%", "%a%", "_", "%", "%\\%", "x", "%ア%", "a_", "%株%"];

/// Zones of sessions: of no shift, of one, of two in a year.
pub(super) const ZONES: &[&str] = &["UTC", "Asia/Tokyo", "America/New_York"];
