//! Kintone's refusals in plain words: what each means, and what to do (K§5.3).

use super::line::{Reply, plain};

/// What a code means, and what to do.
const CODES: &[(&str, &str, &str)] = &[
    (
        "CB_WA01",
        "the user or the password is wrong, or the account is locked",
        "check User and Password; log in with a browser, which tells a locked account; do not try again and again",
    ),
    (
        "CB_TW02",
        "the user has two-factor authentication, with which no password opens the API",
        "use API tokens (ApiToken and AppId), OAuth, or a user without two-factor authentication",
    ),
    (
        "CB_AU01",
        "Kintone wants a login",
        "check the login's properties; an access token of OAuth lives for an hour",
    ),
    ("GAIA_IA02", "no app has this API token", "make a token in the app's settings, and update the app"),
    ("GAIA_AP15", "no token given is this app's", "give this app's token too; ApiToken takes up to 9"),
    ("GAIA_NO01", "an API token may not do this", "tick \"View records\" for the token, and update the app"),
    (
        "GAIA_AP01",
        "there is no such app",
        "check AppId; the app may have been deleted or never been activated",
    ),
    ("GAIA_IL23", "the app is in a guest space", "give its space as GuestSpaceId"),
    ("CB_NO01", "no right to this", "ask the app's administrator for the right to view records"),
    ("CB_NO02", "no right to this", "ask the app's administrator for the right, or leave the app out"),
    (
        "GAIA_TO04",
        "too many requests run on the domain",
        "wait, and find out which other program asks so much",
    ),
];

/// Codes of a login that is not accepted.
const NO_LOGIN: [&str; 4] = ["CB_WA01", "CB_TW02", "CB_AU01", "GAIA_IA02"];

/// Whether it is the login that is refused.
pub(super) fn is_login(reply: &Reply) -> bool {
    reply.status == 401 || reply.code().is_some_and(|code| NO_LOGIN.contains(&code))
}

/// What happened, and what to do.
pub(super) fn words(reply: &Reply) -> (String, String) {
    let outcome = reply.outcome();
    let message = reply.json.as_ref().and_then(|body| body.get("message")).and_then(|text| text.as_str());
    let message = message.map(|text| plain(text, 160)).unwrap_or_default();
    let locked = ["lock", "ロック"].iter().any(|word| message.to_lowercase().contains(word));
    let known = reply.code().and_then(|code| CODES.iter().find(|(known, ..)| *known == code));
    match known {
        Some(("CB_WA01" | "CB_AU01", ..)) if locked => (
            format!("the account is locked ({outcome})"),
            "wait, or ask an administrator to unlock it; do not try again and again".into(),
        ),
        Some((_, told, advice)) => (format!("{told} ({outcome})"), (*advice).into()),
        None if reply.status >= 500 => (
            format!("Kintone is not in service ({outcome})"),
            "wait, and see https://status.cybozu.com".into(),
        ),
        None if reply.code().is_some() => (
            format!("Kintone says: {message} ({outcome})"),
            "look the code up in Kintone's documentation".into(),
        ),
        None => (format!("not Kintone's answer ({outcome})"), "check Url and the proxy".into()),
    }
}
