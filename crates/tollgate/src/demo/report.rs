//! What the demo shows: each call as the log has it, and whether it is what the policy says.

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use anyhow::bail;
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::agent::Step;
use super::api::Api;
use super::table;

/// How long the log may take to have every call, completed.
const PATIENCE: Duration = Duration::from_secs(20);

/// Reads the grant's calls from the log, oldest first, once all of them have their rows and their ends.
///
/// # Errors
/// The log does not have them in time.
pub async fn rows(api: &Api, grant: &str, calls: usize) -> anyhow::Result<Vec<Value>> {
    let path = format!("/audit/decisions?grant={grant}&limit=200");
    let deadline = Instant::now() + PATIENCE;
    loop {
        let page = api.get(&path).await?;
        let items = page["items"].as_array().cloned().unwrap_or_default();
        let mut rows: Vec<Value> = items.into_iter().filter(|row| row["method"] == "tools/call").collect();
        if rows.len() == calls && rows.iter().all(|row| row["completion"] == "closed") {
            rows.reverse();
            return Ok(rows);
        }
        if Instant::now() > deadline {
            bail!("the log has {} of {calls} calls after {} s", rows.len(), PATIENCE.as_secs());
        }
        // The drain works on its own; the log is asked again until it has caught up.
        sleep(Duration::from_millis(50)).await;
    }
}

/// Prints the table.
///
/// # Errors
/// The output can't be written.
pub fn print(out: &mut impl Write, rows: &[Value]) -> std::io::Result<()> {
    let word = |row: &Value, key: &str| row[key].as_str().unwrap_or_default().to_owned();
    let cells: Vec<_> = rows
        .iter()
        .map(|row| {
            [
                word(row, "tool"),
                word(row, "outcome"),
                word(row, "rule"),
                // A refused call ends with its decision.
                millis(
                    row.get("gateway_micros")
                        .filter(|micros| micros.is_u64())
                        .unwrap_or(&row["judged_micros"]),
                ),
                millis(&row["upstream_micros"]),
            ]
        })
        .collect();
    table::write(out, ["tool", "outcome", "rule", "gateway", "upstream"], &cells)
}

/// Everything in which the log or the upstream differs from what the policy says, a sentence each.
pub fn surprises(steps: &[Step], rows: &[Value], reached: &BTreeMap<String, usize>) -> Vec<String> {
    let mut found = Vec::new();
    let mut allowed = BTreeMap::<String, usize>::new();
    for (step, row) in steps.iter().zip(rows) {
        if row["tool"] != step.tool || row["outcome"] != step.expected.as_str() {
            found.push(format!(
                "{} should be {}, and is {} for {}",
                step.tool, step.expected, row["outcome"], row["tool"]
            ));
        }
        if step.expected == domain::Outcome::Allow {
            *allowed.entry(step.tool.to_owned()).or_default() += 1;
        }
    }
    if *reached != allowed {
        found.push(format!("allowed were {allowed:?}, and the upstream saw {reached:?}"));
    }
    found
}

fn millis(micros: &Value) -> String {
    // Microseconds of one call are far below 2^52.
    #[expect(clippy::cast_precision_loss, reason = "a duration to be read by people")]
    micros.as_u64().map_or_else(|| "-".to_owned(), |micros| format!("{:.1} ms", micros as f64 / 1000.0))
}

#[cfg(test)]
mod tests {
    use domain::Outcome;
    use serde_json::json;

    use super::*;

    fn step(tool: &'static str, expected: Outcome) -> Step {
        Step { tool, arguments: json!({}), expected }
    }

    #[test]
    fn a_call_that_reached_the_upstream_though_denied_is_a_surprise() {
        let steps = [step("a", Outcome::Allow), step("b", Outcome::Deny)];
        let rows = [json!({"tool": "a", "outcome": "allow"}), json!({"tool": "b", "outcome": "deny"})];
        assert!(surprises(&steps, &rows, &BTreeMap::from([("a".into(), 1)])).is_empty());
        assert_eq!(surprises(&steps, &rows, &BTreeMap::from([("a".into(), 1), ("b".into(), 1)])).len(), 1);
        assert_eq!(
            surprises(&steps, &[rows[0].clone(), rows[0].clone()], &BTreeMap::from([("a".into(), 1)])).len(),
            1
        );
    }
}
