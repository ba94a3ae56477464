//! The contract of `report --json`, as it is in the repository.

use serde_json::Value;

/// Every report is what the schema says.
///
/// # Panics
/// It is not.
pub(crate) fn assert_valid(report: &Value) {
    let schema: Value =
        serde_json::from_str(include_str!("../../../inspector/schema/report-1.json"))
            .expect("a schema");
    let schema = jsonschema::validator_for(&schema).expect("a valid schema");
    let wrong: Vec<String> = schema
        .iter_errors(report)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
