//! `pg_timezone_names` and `pg_timezone_abbrevs`: the zones that `SET TimeZone` takes.

use std::collections::BTreeMap;

use chrono::{Offset, Utc};
use chrono_tz::{OffsetComponents, OffsetName, TZ_VARIANTS, Tz};

use super::Value;
use super::builder::Builder;
use super::snapshot::Snapshot;

/// A zone's abbreviation, its offset from UTC in seconds, and whether it is daylight saving time, now.
fn now(zone: Tz) -> (String, i64, bool) {
    let offset = *Utc::now().with_timezone(&zone).offset();
    let seconds = i64::from(offset.fix().local_minus_utc());
    let name = offset.abbreviation().map_or_else(|| zone.name().to_owned(), str::to_owned);
    (name, seconds, !offset.dst_offset().is_zero())
}

pub(super) fn names(_: &Snapshot, out: &mut Builder<'_>) {
    for zone in TZ_VARIANTS {
        let (abbreviation, seconds, summer) = now(zone);
        out.row([
            ("name", zone.name().into()),
            ("abbrev", abbreviation.into()),
            ("utc_offset", seconds.into()),
            ("is_dst", summer.into()),
        ]);
    }
}

pub(super) fn abbreviations(_: &Snapshot, out: &mut Builder<'_>) {
    let zones = TZ_VARIANTS.iter().map(|zone| now(*zone));
    let by_name: BTreeMap<String, (i64, bool)> = zones
        .filter(|(name, _, _)| name.chars().all(|c| c.is_ascii_uppercase()))
        .map(|(name, seconds, summer)| (name, (seconds, summer)))
        .collect();
    for (name, (seconds, summer)) in by_name {
        out.row([("abbrev", name.into()), ("utc_offset", seconds.into()), ("is_dst", Value::Bool(summer))]);
    }
}
