//! `tollgate policy test`: policies held against cases, and which rules no case touched.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use json::Value;

use super::cases::{CaseFile, Outcome, Source};

/// `tollgate policy test`.
///
/// A file has `policy` (a document, or the path of one beside the file) and `cases`: each a `name`, a `call` (`tool`,
/// `arguments`), optionally `grant`, `client`, `server`, `input_schema`, `tool_changed` and a `policy` of its own, and
/// what to `expect`: `outcome`, and any of `rule`, `message`, `charges`, `conditions`, `expires_in`, `shadow`.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct TestArgs {
    /// Files of cases, as JSON or YAML
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

/// Whether every case came out as expected.
pub fn run(args: &TestArgs, output: &mut dyn Write) -> anyhow::Result<bool> {
    let (mut passed, mut failed) = (0, 0);
    let mut coverage = Coverage::default();
    for path in &args.files {
        let file = CaseFile::read(path)?;
        let in_file = || format!("in `{}`", path.display());
        let whole = file.json().with_context(in_file)?;
        let shared = file.policy(&whole)?;
        let cases = whole
            .get("cases")
            .and_then(Value::as_array)
            .context("`cases` is missing: write a list")
            .with_context(in_file)?;
        coverage.knows(shared.as_ref());
        for case in cases {
            let own = file.policy(case).with_context(in_file)?;
            let source = own
                .as_ref()
                .or(shared.as_ref())
                .context("a case without a `policy`")
                .with_context(in_file)?;
            let outcome = file.judge(case, source).with_context(in_file)?;
            if own.is_none() {
                coverage.touched(source, case, &outcome);
            }
            if outcome.differences.is_empty() {
                passed += 1;
            } else {
                failed += 1;
                writeln!(output, "{}: failed: {}", path.display(), outcome.name)?;
                for (field, expected, came) in outcome.differences {
                    writeln!(output, "  {field}: expected {expected}, came {came}")?;
                }
            }
        }
    }
    coverage.print(output)?;
    writeln!(output, "{passed} passed, {failed} failed")?;
    Ok(failed == 0)
}

/// The rules of each policy that files share, and whether a case was decided by them.
#[derive(Default)]
struct Coverage {
    rules: BTreeMap<String, BTreeMap<String, bool>>,
}

impl Coverage {
    fn knows(&mut self, source: Option<&Source>) {
        if let Some(Source::Read { policy, from }) = source {
            let rules = self.rules.entry(from.clone()).or_default();
            for rule in policy.rules() {
                rules.entry(rule).or_insert(false);
            }
        }
    }

    fn touched(&mut self, source: &Source, case: &Value<'_>, outcome: &Outcome) {
        let Source::Read { policy, from } = source else { return };
        let shadow = outcome.line.shadow.as_deref();
        let mut deciding: BTreeSet<&str> =
            [outcome.line.rule.as_deref(), shadow.and_then(|line| line.rule.as_deref())]
                .into_iter()
                .flatten()
                .collect();
        deciding.extend(outcome.line.charges.iter().flatten().map(|charge| charge.rule.as_str()));
        let tool = case.pointer("/call/tool").and_then(Value::as_str).unwrap_or_default();
        if deciding.contains("(hidden)") {
            deciding.extend(policy.hiding(tool));
        }
        if let Some(rules) = self.rules.get_mut(from) {
            for (_, touched) in rules.iter_mut().filter(|(rule, _)| deciding.contains(rule.as_str())) {
                *touched = true;
            }
        }
    }

    fn print(&self, output: &mut dyn Write) -> anyhow::Result<()> {
        for (from, rules) in &self.rules {
            let touched = rules.values().filter(|touched| **touched).count();
            writeln!(output, "{from}: {touched} of {} rules decided a case", rules.len())?;
            for (rule, _) in rules.iter().filter(|(_, touched)| !**touched) {
                writeln!(output, "  never: {rule}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Scratch, policy};

    const POLICY: &str = r#"{"version":"1","default":"deny","hide":["wipe","drop_*"],"tools":{
        "run":{"require":[{"path":"args.id","op":"regex","value":"^r-"}],"deny_if":[{"conditions":[{"path":"args.all","op":"eq","value":true}]}],"rate_limit":"5/minute"},
        "pay":{"limits":[{"counter":"spend","window":"day","max":10,"increment_from":"args.amount"}]}}}"#;

    #[test]
    fn cases_pass_and_untouched_rules_are_named() {
        let scratch = Scratch::new();
        scratch.file("run.json", POLICY);
        let cases = scratch.file(
            "cases.yaml",
            "policy: run.json\ncases:\n\
             - name: a good id\n  call: { tool: run, arguments: { id: r-1 } }\n  expect: { outcome: allow, charges: [{ rule: /tools/run/rate_limit, amount_micros: 1000000 }] }\n\
             - name: a bad id\n  call: { tool: run, arguments: { id: x } }\n  expect: { outcome: deny, rule: /tools/run/require/0 }\n\
             - name: hidden\n  call: { tool: wipe }\n  expect: { outcome: hide }\n",
        );
        let (good, printed) = policy(&["test", &cases], "");
        assert!(good, "{printed}");
        assert!(printed.ends_with("3 passed, 0 failed\n"), "{printed}");
        assert!(printed.contains("3 of 6 rules decided a case\n"), "{printed}");
        for rule in ["/hide/1", "/tools/run/deny_if/0", "/tools/pay/limits/0"] {
            assert!(printed.contains(&format!("  never: {rule}\n")), "{printed}");
        }
        assert_eq!(printed.matches("never:").count(), 3, "{printed}");
    }

    #[test]
    fn a_case_that_fails_says_how() {
        let scratch = Scratch::new();
        let cases = scratch.file(
            "cases.json",
            &format!(r#"{{"policy":{POLICY},"cases":[{{"call":{{"tool":"pay","arguments":{{"amount":0.3}}}},"expect":{{"outcome":"deny","rule":"/x"}}}}]}}"#),
        );
        let (good, printed) = policy(&["test", &cases], "");
        assert!(!good);
        assert!(printed.contains("failed: pay\n  outcome: expected \"deny\", came \"allow\"\n  rule: expected \"/x\", came null\n"), "{printed}");
        assert!(printed.ends_with("0 passed, 1 failed\n"));
    }

    #[test]
    fn the_vectors_are_a_file_of_cases() {
        let vectors = concat!(env!("CARGO_MANIFEST_DIR"), "/../policy/tests/data/policy-vectors.json");
        let (good, printed) = policy(&["test", vectors], "");
        assert!(good, "{printed}");
        assert_eq!(printed, "107 passed, 0 failed\n");
    }

    #[test]
    fn mistakes_in_the_file_are_said() {
        let scratch = Scratch::new();
        for (text, wanted) in [
            ("{}", "`cases` is missing"),
            (r#"{"cases":[{"call":{"tool":"a"},"expect":{"outcome":"allow"}}]}"#, "without a `policy`"),
            (r#"{"policy":null,"cases":[{"call":{"tool":"a"}}]}"#, "no `expect`"),
            (r#"{"policy":null,"cases":[{"call":{"tool":"a"},"expect":{}}]}"#, "no `outcome`"),
            (
                r#"{"policy":null,"cases":[{"call":{"tool":"a"},"expect":{"outcome":"deny","rules":"x"}}]}"#,
                "`rules` in `expect`",
            ),
            (r#"{"policy":{"version":"1"},"cases":[]}"#, "has problems"),
            (r#"{"policy":"nowhere.json","cases":[]}"#, "reading"),
            (r#"{"policy":null,"policy":null,"cases":[]}"#, "twice"),
        ] {
            let file = scratch.file("bad.json", text);
            let error = super::super::tests::try_policy(&["test", &file], b"").unwrap_err();
            assert!(format!("{error:#}").contains(wanted), "{text}: {error:#}");
        }
    }
}
