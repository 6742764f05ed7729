//! `Requests`: every Kintone call of the day, the meter of the daily quota (reset at 09:00 JST, K§5.1).

use super::{Ask, Relation, Rows, SystemColumn as C, Value, once};

pub(super) struct Requests;

impl Relation for Requests {
    fn name(&self) -> &'static str {
        "Requests"
    }

    fn description(&self) -> &'static str {
        "Every Kintone request since 09:00 JST, the latest last"
    }

    fn columns(&self) -> &'static [C] {
        const {
            &[
                C::instant("Time"),
                C::text("Connection"),
                C::integer("AppId").or_null(),
                C::text("Method"),
                C::text("Path"),
                C::text("Query"),
                C::integer("Rows"),
                C::integer("Bytes"),
                C::integer("Ms"),
                C::integer("Status"),
            ]
        }
    }

    fn key(&self) -> &'static [&'static str] {
        &[]
    }

    fn rows(&self, ask: Ask) -> Rows {
        once(async move {
            let row = |request: crate::kintone::Request| {
                vec![
                    Value::Instant(request.time.timestamp_micros()),
                    Value::text(request.connection),
                    Value::number(request.app),
                    Value::text(request.method),
                    Value::text(request.path),
                    Value::text(request.query),
                    Value::Integer(request.rows),
                    Value::Integer(request.bytes),
                    Value::Integer(request.ms),
                    Value::Integer(u64::from(request.status)),
                ]
            };
            Ok(ask.client.requests().into_iter().map(row).collect())
        })
    }
}
