//! A world from a JSON file.

use kintone_sql::emulator::Fixture;
use serde_json::json;

#[test]
fn a_fixture_says_where_it_is_wrong() {
    for (fixture, at) in [
        (json!([]), "the fixture"),
        (json!({"apps": {}}), "apps: expected an array"),
        (json!({"users": [{"name": "x"}]}), "users[0]"),
        (json!({"apps": [{"form": {"properties": {"a": {"type": "NOPE"}}}}]}), "apps[0].form.properties.a"),
        (json!({"apps": [{"records": [{"b": {"value": "1"}}]}]}), "apps[0].records[0].b"),
        (json!({"apps": [{"app": {"appId": 1}}, {"app": {"appId": 1}}]}), "apps[1].app"),
    ] {
        let error = Fixture::from_json(&fixture).unwrap_err();
        assert!(error.starts_with(at), "{error}");
    }
}
