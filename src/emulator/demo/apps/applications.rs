//! 新規取引先申請: set up, never used. No record.

use crate::emulator::app::AppDefinition;
use crate::emulator::demo::Company;
use crate::emulator::demo::field;
use crate::emulator::demo::form::Form;
use crate::emulator::demo::settings::{self, View};

/// The app's id.
pub(super) const ID: u64 = 1_354_870;

/// The app.
pub(super) fn definition(company: &Company) -> AppDefinition {
    let mut app = super::base(company, ID, "新規取引先申請", "<div>準備中です。</div>", form());
    app.views = settings::views(ID, VIEWS);
    app.settings = settings::settings("会社名", "WHITE");
    app.status = settings::process(&["申請前", "承認待ち", "承認"], &["承認"], "申請者", ACTIONS);
    app
}

const ACTIONS: &[settings::Action] = &[
    ("申請する", "申請前", "承認待ち"),
    ("承認する", "承認待ち", "承認"),
    ("差し戻す", "承認待ち", "申請前"),
];

const VIEWS: &[View] = &[View::List {
    name: "承認待ち",
    fields: &["会社名", "申請者", "希望与信額"],
    filter: "ステータス in (\"承認待ち\")",
    sort: "作成日時 asc",
}];

fn form() -> Form {
    Form::default()
        .row(vec![
            field::text("会社名").required(),
            field::users("申請者"),
            field::date("申請日").starts_now(),
        ])
        .row(vec![field::number("希望与信額").yen(), field::multi_line("申請理由")])
        .table("保証人", vec![field::text("保証人氏名"), field::number("保証額").yen()])
        .finish(false, true)
}
