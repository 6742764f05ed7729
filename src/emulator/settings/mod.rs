//! Apps and their settings (K§2.2, K§4.3): read, changed in a preview beside the live ones, and brought live.
//!
//! Each app has a live side and, once something is changed, a `preview` with a revision of its own. Changes
//! go there: `create`, `fields` (each definition held against `definition`, formulas against `calc`, other apps
//! against `reference`), `layout`, `views`, `general`, `process`. `deploy` brings them live after a while, with the
//! records made to fit by `convert`; values follow fields and options also where these were renamed. `read` shows
//! both sides, `defaults` what is never changed here, `complete` fills in what a world leaves out. Deliberately
//! absent: access rights, reports, notifications and plug-ins, beyond their default shapes.

mod apis;
mod apps;
mod complete;
mod convert;
mod create;
mod defaults;
mod definition;
mod deploy;
mod fields;
mod form;
mod general;
mod layout;
mod preview;
mod process;
mod read;
mod reference;
mod spaces;
mod views;

pub(super) use apis::list as apis;
pub(super) use apps::{get as app, list as apps, statistics};
pub(super) use complete::complete;
pub(super) use create::create;
pub(super) use defaults::{
    actions, admin_notes, app_rights, customization, field_rights, general_notifications, installed_plugins,
    plugins, record_notifications, record_rights, reminders, reports, required_plugins,
};
pub(super) use deploy::{Deploys, settle, start as deploy, status as deploy_status};
pub(super) use fields::{add as add_fields, delete as delete_fields, update as update_fields};
pub(super) use form::form;
pub(super) use general::update as update_settings;
pub(super) use layout::update as update_layout;
pub(super) use preview::{LIVE, PREVIEW, Preview};
pub(super) use process::update as update_status;
pub(super) use read::{fields, layout, settings, status, views};
pub(super) use spaces::{members, space, statistics as space_statistics};
pub(super) use views::update as update_views;
