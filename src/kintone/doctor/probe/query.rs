//! Questions that one query answers, as the connection's user.
//!
//! In a query, `{A}` to `{D}` are the ids of records, `{STATUS}` and the like the codes of fields of that type.

use super::super::line::{Ask, Reply, Who};
use super::ask::Asker;
use super::finding::{Findings, Outcome};
use super::scratch::Scratch;

/// What an answer decides.
#[derive(Debug, Clone, Copy)]
enum Decides {
    /// Whether the query is taken: `yes`, else `no`.
    Taken,
    /// The position where a record is found, and where it is not.
    Found(char, &'static str, &'static str),
    /// Positions by the records in their order; a refusal is `refused`.
    Order(&'static [(&'static str, &'static str)]),
}
use Decides::{Found, Order, Taken};

/// A switch, its section, the query that decides it, and how.
type Question = (&'static str, &'static str, &'static str, Decides);

const LEAST: Decides = Found('D', "yes", "no");
const ALIKE: Decides = Found('A', "yes", "no");

const QUESTIONS: &[Question] = &[
    ("keywords_in_any_case", "3.1", "$id = {A} OR $id = {B} Order By $id Asc", Taken),
    ("keywords_as_field_codes", "3.1", "limit = 5", Taken),
    ("revision_in_conditions", "3.1", "$revision >= 1", Taken),
    ("bare_numbers_as_text", "3.1", "text = 5", Taken),
    ("status_takes_equals", "3.2", "{STATUS} = \"open\"", Taken),
    ("category_takes_in", "3.2", "{CATEGORY} in (\"none\")", Taken),
    ("dates_take_in", "3.2", "date in (\"2026-01-10\")", Taken),
    ("rich_text_sortable", "3.2", "order by rich asc", Taken),
    ("revision_sortable", "3.2", "order by $revision asc", Taken),
    (
        "related_predicates_share_a_record",
        "3.3",
        "others.text = \"apple\" and others.$id = {B}",
        Found('A', "no", "yes"),
    ),
    ("login_user_on_assignee", "3.4", "{STATUS_ASSIGNEE} in (LOGINUSER())", Taken),
    ("span_bounds", "3.4", "moment > THIS_YEAR()", Found('B', "start", "span")),
    ("text_equality_ignores_case", "3.5", "text = \"APPLE\"", ALIKE),
    ("text_equality_ignores_width", "3.5", "text = \"ａｐｐｌｅ\"", ALIKE),
    ("text_equality_ignores_trailing_spaces", "3.5", "text = \"apple  \"", ALIKE),
    ("empty_dates_are_least", "3.5", "date < \"1900-01-01\"", LEAST),
    ("empty_times_are_least", "3.5", "time < \"00:01\"", LEAST),
    ("empty_datetimes_are_least", "3.5", "moment < \"1900-01-01T00:00:00Z\"", LEAST),
    ("empty_calcs_are_least", "3.5", "calc < -1000", LEAST),
    ("empties_in_tables_are_least", "3.5", "quantity < -1000", Found('B', "yes", "no")),
    ("numbers_equal_empty", "3.5", "n = \"\"", Taken),
    ("numbers_differ_from_empty", "3.5", "n != \"\"", Taken),
    ("times_take_empty", "3.5", "time = \"\"", Taken),
    ("text_negation_finds_empties", "3.5", "text != \"apple\"", LEAST),
    ("number_negation_finds_empties", "3.5", "n != 10", LEAST),
    ("date_negation_finds_empties", "3.5", "date != \"2026-01-10\"", LEAST),
    ("choice_negation_finds_empties", "3.5", "choice not in (\"a\")", LEAST),
    ("people_negation_finds_empties", "3.5", "people not in (LOGINUSER())", LEAST),
    ("not_like_finds_empties", "3.6", "text not like \"apple\"", LEAST),
    ("seconds_in_literals_count", "3.5", "moment = \"2020-01-10T00:00:59Z\"", Found('A', "no", "yes")),
    (
        "undirected_order",
        "3.7",
        "n > 0 order by n",
        Order(&[("C B A", "descending"), ("A B C", "ascending"), ("refused", "refused")]),
    ),
    (
        "choice_order",
        "3.7",
        "$id < {D} order by choice asc, $id asc",
        Order(&[("A B C", "position"), ("B C A", "text")]),
    ),
    (
        "empties_sort_first",
        "3.7",
        "$id in ({A}, {D}) order by n asc",
        Order(&[("D A", "yes"), ("A D", "no")]),
    ),
    ("limit_zero", "3.7", "limit 0", Taken),
    ("large_offsets", "3.7", "offset 10001", Taken),
];

/// Questions that no switch stands for: a name, a section, queries.
const FACTS: &[(&str, &str, &[&str])] = &[
    (
        "bounds_of_functions",
        "3.4",
        &["moment = THIS_YEAR()", "moment < THIS_YEAR()", "moment <= THIS_YEAR()", "moment >= THIS_YEAR()"],
    ),
    (
        "lists_of_text",
        "3.5",
        &[
            "text in (\"APPLE\")",
            "text in (\"apple  \")",
            "text not in (\"apple\", \"\")",
            "text = \"\"",
            "text = \"  \"",
        ],
    ),
    (
        "empties_elsewhere",
        "3.5",
        &[
            "n < 1",
            "n >= 0",
            "n = 0",
            "n in (\"\", \"10\")",
            "calc = \"\"",
            "date = \"\"",
            "date != \"\"",
            "moment = \"\"",
            "choice in (\"\")",
            "quantity in (\"\")",
            "quantity not in (\"1\")",
            "rich like \"b\"",
        ],
    ),
    (
        "lists_of_times",
        "3.2",
        &["time in (\"09:00\")", "moment in (\"2020-01-10T00:00:00Z\")", "time = \"09:00:30\""],
    ),
];

/// Codes of a refusal that say nothing of the question: the field, the option, the user are not there.
const BESIDE: [&str; 5] = ["GAIA_ST02", "GAIA_IQ10", "GAIA_IL26", "CB_NO02", "GAIA_IQ07"];

/// Asks every question.
pub(super) async fn ask_all(asker: &Asker<'_>, scratch: &Scratch, findings: &mut Findings) {
    for (switch, section, query, decides) in QUESTIONS {
        let (asked, outcome) = one(asker, scratch, switch, query, *decides).await;
        findings.add(switch, section, asked, outcome);
    }
    for (name, section, queries) in FACTS {
        let mut asked = vec![];
        for query in *queries {
            let text = filled(scratch, &format!("({query}) and $id <= {{D}}"), |id| id.to_string());
            let answer = match records(asker, scratch, Who::Login, &text).await {
                Ok(reply) => answer(&reply, &letters(scratch, &reply, true)),
                Err(why) => why,
            };
            asked.push((shown(scratch, query), answer));
        }
        let taken = asked.iter().filter(|(_, answer)| answer.starts_with("taken")).count();
        let told = format!("{taken} of {} queries are taken", asked.len());
        findings.add(name, section, asked, Outcome::Told(told));
    }
}

/// What a query found, for people.
fn answer(reply: &Reply, found: &str) -> String {
    match (reply.status, found) {
        (200, "") => "taken, no record".to_owned(),
        (200, found) => format!("taken, {found}"),
        _ => reply.outcome(),
    }
}

async fn one(
    asker: &Asker<'_>,
    scratch: &Scratch,
    switch: &str,
    query: &str,
    decides: Decides,
) -> (Vec<(String, String)>, Outcome) {
    if let Some(why) = obstacle(scratch, switch, query) {
        return (vec![], Outcome::Open(why));
    }
    // Conditions see A to D only; the records of the hours have ids above theirs.
    let text = match decides {
        Found(..) => format!("({query}) and $id <= {{D}}"),
        Taken | Order(_) => query.to_owned(),
    };
    let reply = match records(asker, scratch, Who::Login, &filled(scratch, &text, |id| id.to_string())).await
    {
        Ok(reply) => reply,
        Err(why) => return (vec![(shown(scratch, query), why.clone())], Outcome::Open(why)),
    };
    let found = letters(scratch, &reply, !matches!(decides, Order(_)));
    let asked = vec![(shown(scratch, query), answer(&reply, &found))];
    let odd = || Outcome::Open(format!("an unexpected answer: {}", reply.outcome()));
    let beside = reply.code().is_some_and(|code| BESIDE.contains(&code));
    let outcome = match (decides, reply.status) {
        _ if beside => odd(),
        (Taken, 200) => Outcome::Settled("yes"),
        (Taken, 400) => Outcome::Settled("no"),
        (Found(letter, there, absent), 200) => {
            Outcome::Settled(if found.contains(letter) { there } else { absent })
        }
        (Order(positions), status @ (200 | 400)) => {
            let found = if status == 400 { "refused" } else { found.as_str() };
            let position = positions.iter().find(|(order, _)| *order == found);
            position.map_or_else(
                || Outcome::Open(format!("an order that nobody expected: {found}")),
                |(_, position)| Outcome::Settled(position),
            )
        }
        _ => odd(),
    };
    (asked, outcome)
}

/// Why a query cannot be asked.
fn obstacle(scratch: &Scratch, switch: &str, query: &str) -> Option<String> {
    let absent = scratch.missing.iter().find(|(code, _)| {
        query.split(|c: char| !c.is_alphanumeric()).any(|word| word == *code) && switch != "limit_zero"
    });
    if let Some((code, outcome)) = absent {
        return Some(format!("Kintone does not take a field of the code {code} ({outcome})"));
    }
    let process = query.contains("{STATUS").then_some(scratch.no_process.as_ref()).flatten();
    process.map(|outcome| format!("process management cannot be enabled ({outcome})"))
}

/// The records of a query, as somebody.
pub(super) async fn records(
    asker: &Asker<'_>,
    scratch: &Scratch,
    who: Who<'_>,
    query: &str,
) -> Result<Reply, String> {
    let ask = Ask::get("/k/v1/records.json").with("app", scratch.id).with("query", query);
    asker.read(who, &ask.with("fields[0]", "$id")).await
}

/// A query with ids and codes in it.
pub(super) fn filled(scratch: &Scratch, query: &str, id: impl Fn(u64) -> String) -> String {
    let mut out = query.to_owned();
    for letter in ['A', 'B', 'C', 'D'] {
        out = out.replace(&format!("{{{letter}}}"), &id(scratch.of(letter)));
    }
    for kind in ["STATUS", "STATUS_ASSIGNEE", "CATEGORY", "CREATOR", "RECORD_NUMBER"] {
        out = out.replace(&format!("{{{kind}}}"), scratch.system(kind));
    }
    out
}

/// A query as people read it: the same on every domain but for the codes of its language.
pub(super) fn shown(scratch: &Scratch, query: &str) -> String {
    filled(scratch, query, |id| scratch.letter(id))
}

/// `$id` of each record.
pub(super) fn ids(reply: &Reply) -> Vec<u64> {
    let id = |record: &serde_json::Value| record.pointer("/$id/value")?.as_str()?.parse().ok();
    reply.list("records").iter().filter_map(id).collect()
}

/// The letters of A to D in an answer, in its order or the alphabet's.
pub(super) fn letters(scratch: &Scratch, reply: &Reply, sorted: bool) -> String {
    let mut found: Vec<u64> = ids(reply).into_iter().filter(|id| scratch.letters.contains(id)).collect();
    if sorted {
        found.sort_unstable();
    }
    found.into_iter().map(|id| scratch.letter(id)).collect::<Vec<_>>().join(" ")
}
