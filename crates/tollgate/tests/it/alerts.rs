//! The alert rules under `deploy/observability`, tried by Prometheus' own tool on made-up metrics.

use std::path::PathBuf;
use std::process::Command;

use crate::clients::root;

/// `scripts/promtool` puts it where the system has none.
fn promtool() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let own = root().join(".dev/prometheus/usr/bin");
    let mut found = std::env::split_paths(&path).chain([own]).map(|folder| folder.join("promtool"));
    found.find(|file| file.is_file()).expect("run scripts/promtool first: it brings what tries alert rules")
}

fn run(arguments: &[&str]) {
    let output = Command::new(promtool())
        .args(arguments)
        .current_dir(root().join("deploy/observability"))
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn alerts_fire_when_they_should_and_not_else() {
    run(&["check", "rules", "rules.yml"]);
    run(&["test", "rules", "rules_test.yml"]);
    let read = |file: &str| std::fs::read_to_string(root().join("deploy/observability").join(file)).unwrap();
    let (rules, tried) = (read("rules.yml"), read("rules_test.yml"));
    let alerts: Vec<_> = rules.lines().filter_map(|line| line.trim().strip_prefix("- alert: ")).collect();
    assert!(alerts.len() > 10, "the rules were not read");
    for alert in alerts {
        let quiet = format!("alertname: {alert}, exp_alerts: [] }}");
        let firing = format!("alertname: {alert}\n");
        assert!(tried.contains(&quiet) && tried.contains(&firing), "{alert} is not tried both ways");
    }
}
