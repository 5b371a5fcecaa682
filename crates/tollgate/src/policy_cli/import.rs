//! `tollgate policy import`: documents of other products, as documents of ours.

use std::io::{BufRead, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use policy::Policy;
use serde_json::Value;

use super::intercept;

/// `tollgate policy import`.
///
/// PolicyLayer's JSON is a document of ours as it is; Intercept's YAML is translated. The document goes to standard output,
/// notes on what has no equal to standard error. What can't be translated denies its tool until it is replaced by hand.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct ImportArgs {
    /// The document, as JSON or YAML; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Whether the result is a document without problems.
pub fn run(
    args: &ImportArgs,
    input: &mut dyn BufRead,
    output: &mut dyn Write,
    notes: &mut dyn Write,
) -> anyhow::Result<bool> {
    let text = super::read(&args.file, input)?;
    let in_file = || format!("in `{}`", args.file.display());
    // Strict JSON is kept byte by byte. Anything else is YAML, which JSON is a part of.
    let value = match json::parse(&text, super::line::MAX_DEPTH) {
        Ok(_) => serde_json::from_slice(&text).with_context(in_file)?,
        Err(_) => super::yaml(&text).with_context(in_file)?,
    };
    let (document, found) = if intercept::is_one(&value) {
        let translated = intercept::translate(&value);
        (serde_json::to_string_pretty(&translated.document)?, translated.notes)
    } else if json::parse(&text, super::line::MAX_DEPTH).is_ok() {
        (String::from_utf8(text)?.trim_end().to_owned(), Vec::new())
    } else {
        (serde_json::to_string_pretty::<Value>(&value)?, Vec::new())
    };
    writeln!(output, "{document}")?;
    for note in found {
        writeln!(notes, "note: {note}")?;
    }
    let problems = Policy::read(document.as_bytes()).err().unwrap_or_default();
    for problem in &problems {
        writeln!(notes, "error[{}] {}: {}", problem.code, problem.pointer, problem.message)?;
    }
    Ok(problems.is_empty())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Scratch, policy};

    #[test]
    fn documents_of_ours_stay_as_they_are() {
        let text = "{ \"version\": \"1\", \"default\": \"deny\",\n  \"tools\": { \"flowforge_retry_run\": { \"limits\": [{ \"counter\": \"flowforge_retry_run_rate\", \"window\": \"minute\", \"max\": 10, \"scope\": \"grant\" }] } } }";
        let (good, printed) = policy(&["import", "-"], text);
        assert!(good);
        assert_eq!(printed, format!("{text}\n"));
    }

    #[test]
    fn ours_may_be_written_in_yaml() {
        let (good, printed) = policy(&["import", "-"], "version: \"1\"\ndefault: deny\ntools:\n  a: {}\n");
        assert!(good, "{printed}");
        let value: serde_json::Value = serde_json::from_str(&printed).unwrap();
        assert_eq!(value, serde_json::json!({"version": "1", "default": "deny", "tools": {"a": {}}}));
    }

    #[test]
    fn what_is_no_policy_fails() {
        for (text, wanted) in [
            ("{}", "error[missing_field]"),
            (r#"{"version":"1","default":"deny","rules":[]}"#, "error[unknown_field] /rules"),
        ] {
            let (good, printed) = policy(&["import", "-"], text);
            assert!(!good && printed.contains(wanted), "{printed}");
        }
        assert!(super::super::tests::try_policy(&["import", "-"], b"a: [").is_err());
        assert!(
            super::super::tests::try_policy(&["import", "-"], b"a: 1\na: 2").is_err(),
            "a key that stands twice"
        );
        assert!(super::super::tests::try_policy(&["import", &Scratch::new().path("nowhere")], b"").is_err());
    }

    #[test]
    fn intercept_is_translated_with_notes() {
        let yaml = "version: \"1\"\ntools:\n  pay:\n    rules:\n      - name: image budget\n        spend: { per_call: 0.5 }\n";
        let (good, printed) = policy(&["import", "-"], yaml);
        assert!(good, "{printed}");
        assert!(printed.contains("note: tools.pay.rules[0]: `spend`"), "{printed}");
    }
}
