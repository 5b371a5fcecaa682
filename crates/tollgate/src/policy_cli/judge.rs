//! `tollgate policy judge`: JSON lines in, JSON lines out.

use std::io::{BufRead, Write};

use anyhow::Context as _;
use clap::Args;
use policy::Policy;

use super::line::{self, Line, MAX_DEPTH};

/// `tollgate policy judge`.
///
/// Reads `{"policy": ..., "call": {"tool": "...", "arguments": {...}}}` from standard input, a line each, optionally with
/// `grant` (`label`, `identity`), `client` (`name`, `version`), `server` (`name`), `input_schema` and `tool_changed`.
/// `"policy": null` is a grant without one. Prints `{"outcome": "allow|deny|hide|pending", "rule", "message", "charges"}`
/// for each; a line that can't be read is denied as `(malformed)`, and the status says so in the end.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct JudgeArgs {}

/// Whether every line could be read.
pub fn run(_: &JudgeArgs, input: &mut dyn BufRead, output: &mut dyn Write) -> anyhow::Result<bool> {
    let mut judge = Judge::default();
    let mut readable = true;
    let mut text = Vec::new();
    loop {
        text.clear();
        if input.read_until(b'\n', &mut text).context("reading standard input")? == 0 {
            return Ok(readable);
        }
        if text.trim_ascii().is_empty() {
            continue;
        }
        let line = judge.line(&text);
        readable &= line.rule.as_deref() != Some("(malformed)");
        serde_json::to_writer(&mut *output, &line).context("writing the verdict")?;
        writeln!(output).context("writing the verdict")?;
    }
}

/// Keeps the policy of the line before, which is often that of the next one.
#[derive(Default)]
struct Judge {
    text: Vec<u8>,
    policy: Option<Policy>,
}

impl Judge {
    fn line(&mut self, text: &[u8]) -> Line {
        // What is wrong with the policy is the policy's own affair; anything else is the call's.
        let (object, faults) = match json::parse_all(text, MAX_DEPTH) {
            Ok(read) => read,
            Err(error) => return Line::malformed(error.to_string()),
        };
        let of_policy =
            |error: &json::Error| error.pointer == "/policy" || error.pointer.starts_with("/policy/");
        let twice =
            |error: &json::Error| error.pointer == "/policy" && error.kind == json::Kind::DuplicateKey;
        if let Some(fault) = faults.iter().find(|fault| !of_policy(fault) || twice(fault)) {
            return Line::malformed(fault.to_string());
        }
        let Some(document) = object.get("policy") else {
            return Line::malformed(
                "`policy` is missing: write a document, or null for a grant without one".to_owned(),
            );
        };
        if document.is_null() {
            return Line::refused("deny", policy::no_policy());
        }
        let document = document.span.of(text);
        if self.text != document {
            self.policy = Policy::read(document).ok();
            self.text = document.to_vec();
        }
        match &self.policy {
            Some(policy) => line::judge(policy, &object, text),
            None => Line::refused("deny", policy::invalid()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &str) -> (bool, Vec<serde_json::Value>) {
        let mut output = Vec::new();
        let good = run(&JudgeArgs {}, &mut input.as_bytes(), &mut output).unwrap();
        let text = String::from_utf8(output).unwrap();
        (good, text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
    }

    /// Every verdict of the specification, through the command.
    #[test]
    fn the_vectors() {
        let vectors = include_bytes!("../../../policy/tests/data/policy-vectors.json");
        let parsed = json::parse(vectors, 64).unwrap();
        let cases = parsed.get("cases").and_then(json::Value::as_array).unwrap();
        assert_eq!(cases.len(), 107);
        let input: Vec<String> = cases
            .iter()
            .map(|case| String::from_utf8(case.span.of(vectors).to_vec()).unwrap().replace('\n', " "))
            .collect();
        let (good, verdicts) = lines(&input.join("\n"));
        assert!(good);
        assert_eq!(verdicts.len(), cases.len());
        for (case, verdict) in input.iter().zip(verdicts) {
            let expected: serde_json::Value =
                serde_json::from_str::<serde_json::Value>(case).unwrap()["expect"].take();
            for field in ["outcome", "rule", "charges"] {
                assert_eq!(verdict.get(field), expected.get(field), "{case}");
            }
        }
    }

    #[test]
    fn grants_without_a_readable_policy() {
        let call = r#""call":{"tool":"a","arguments":{}}"#;
        for (policy, rule) in [
            ("null", "(no policy)"),
            ("{}", "(invalid policy)"),
            ("7", "(invalid policy)"),
            (r#"{"version":"1","default":"allow","default":"deny"}"#, "(invalid policy)"),
            (r#"{"version":"1","default":"deny"}"#, "(default deny)"),
        ] {
            let (good, verdicts) = lines(&format!("{{\"policy\":{policy},{call}}}"));
            assert!(good);
            assert_eq!(
                (&verdicts[0]["outcome"], &verdicts[0]["rule"]),
                (&"deny".into(), &rule.into()),
                "{policy}"
            );
        }
    }

    #[test]
    fn what_can_not_be_read_is_denied_and_said() {
        let policy = r#""policy":{"version":"1","default":"allow"}"#;
        for line in [
            "x".to_owned(),
            "{".to_owned(),
            format!("{{{policy}}}"),
            format!(r#"{{{policy},"call":{{}}}}"#),
            format!(r#"{{{policy},"call":{{"tool":7}}}}"#),
            format!(r#"{{{policy},"call":{{"tool":"a","arguments":[]}}}}"#),
            format!(r#"{{{policy},"call":{{"tool":"a","arguments":null}}}}"#),
            format!(r#"{{{policy},"call":{{"tool":"a","arguments":{{"x":1,"x":2}}}}}}"#),
            format!(r#"{{{policy},"call":{{"tool":"a","arguments":{{"x":"\ud800"}}}}}}"#),
            format!(r#"{{{policy},"call":{{"tool":"a","arguments":{{"x":1e999}}}}}}"#),
            format!(
                r#"{{{policy},"call":{{"tool":"a","arguments":{{"x":{}0{}}}}}}}"#,
                "[".repeat(62),
                "]".repeat(62)
            ),
            format!(r#"{{{policy},{policy},"call":{{"tool":"a"}}}}"#),
            r#"{"call":{"tool":"a"}}"#.to_owned(),
        ] {
            let (good, verdicts) = lines(&line);
            assert!(!good, "{line}");
            assert_eq!(verdicts.len(), 1, "{line}");
            assert_eq!(
                (&verdicts[0]["outcome"], &verdicts[0]["rule"]),
                (&"deny".into(), &"(malformed)".into()),
                "{line}"
            );
        }
    }

    #[test]
    fn schemas_and_changed_tools_can_be_given() {
        let policy = r#""policy":{"version":"1","default":"allow","validate_arguments":true}"#;
        let call = r#""call":{"tool":"a","arguments":{"n":1}}"#;
        for (rest, expected) in [
            ("", "/validate_arguments"),
            (r#","input_schema":{"properties":{"n":{"type":"string"}}}"#, "/validate_arguments"),
            (r#","input_schema":{"type":"nonsense"}"#, "/validate_arguments"),
            (r#","tool_changed":true"#, "(tool changed)"),
        ] {
            let (_, verdicts) = lines(&format!("{{{policy},{call}{rest}}}"));
            assert_eq!(verdicts[0]["rule"], expected, "{rest}");
        }
        let (_, verdicts) = lines(&format!(r#"{{{policy},{call},"input_schema":{{"type":"object"}}}}"#));
        assert_eq!(verdicts[0], serde_json::json!({"outcome": "allow", "charges": []}));
    }

    #[test]
    fn verdicts_explain_themselves() {
        let line = r#"{"policy":{"version":"1","mode":"shadow","default":"deny","tools":{"a":{"mode":"enforce","approve_if":[{"conditions":[{"path":"grant.label","op":"eq","value":"ci"}],"message":"Look.","expires_in":"1h"}]}}},"call":{"tool":"a"},"grant":{"label":"ci"}}"#;
        let (_, verdicts) = lines(line);
        assert_eq!(
            verdicts[0],
            serde_json::json!({"outcome": "pending", "rule": "/tools/a/approve_if/0", "message": "Look.",
                "conditions": ["/tools/a/approve_if/0/conditions/0"], "expires_in": 3600})
        );
        let (_, verdicts) = lines(&line.replace("\"tool\":\"a\"", "\"tool\":\"b\""));
        assert_eq!(verdicts[0]["outcome"], "allow");
        assert_eq!(verdicts[0]["shadow"]["rule"], "(default deny)");
    }
}
