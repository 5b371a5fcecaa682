//! `tollgate policy check`: everything that is wrong with documents, or odd about them.

use std::io::{BufRead, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use policy::{Policy, Problem, ToolFacts};
use serde::Serialize;

/// `tollgate policy check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// Policy documents; `-` is standard input
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Print one JSON object instead of lines
    #[arg(long)]
    json: bool,
    /// The server's tools, to warn of names that match none: a `tools/list` result or a list of tools, as JSON
    #[arg(long, value_name = "FILE")]
    tools: Option<PathBuf>,
}

/// What was found in a file.
#[derive(Serialize)]
struct Checked {
    file: String,
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

/// Whether no document has a problem; warnings are none.
pub fn run(args: &CheckArgs, input: &mut dyn BufRead, output: &mut dyn Write) -> anyhow::Result<bool> {
    let tools = args.tools.as_deref().map(known_tools).transpose()?.unwrap_or_default();
    let facts: Vec<ToolFacts<'_>> = tools.iter().map(Tool::facts).collect();
    let mut files = Vec::new();
    for file in &args.files {
        let (problems, warnings) = match Policy::read(&super::read(file, input)?) {
            Ok(policy) => (Vec::new(), policy.warnings(&facts)),
            Err(problems) => (problems, Vec::new()),
        };
        files.push(Checked { file: file.display().to_string(), problems, warnings });
    }
    if args.json {
        serde_json::to_writer_pretty(&mut *output, &serde_json::json!({ "files": files }))?;
        writeln!(output)?;
    } else {
        print(&files, output)?;
    }
    Ok(files.iter().all(|file| file.problems.is_empty()))
}

fn print(files: &[Checked], output: &mut dyn Write) -> anyhow::Result<()> {
    for Checked { file, problems, warnings } in files {
        for (kind, found) in [("error", problems), ("warning", warnings)] {
            for Problem { pointer, line, column, code, message } in found {
                let place = if pointer.is_empty() { "the document" } else { pointer };
                writeln!(output, "{file}:{line}:{column}: {kind}[{code}] {place}: {message}")?;
            }
        }
        if problems.is_empty() && warnings.is_empty() {
            writeln!(output, "{file}: good")?;
        }
    }
    Ok(())
}

/// A tool as a server, or our catalogue, describes it.
struct Tool {
    name: String,
    destructive: bool,
    approval: bool,
}

impl Tool {
    fn facts(&self) -> ToolFacts<'_> {
        ToolFacts { name: &self.name, destructive: self.destructive, approval: self.approval }
    }

    fn read(tool: &serde_json::Value) -> Option<Self> {
        let name = tool["name"].as_str()?.to_owned();
        let says =
            |signal: &str| tool["signals"].as_array().is_some_and(|all| all.iter().any(|one| one == signal));
        Some(Self {
            destructive: tool["category"] == "Destructive" || tool["annotations"]["destructiveHint"] == true,
            approval: says("bypasses human review")
                || name.split(['_', '-', '.', '/']).any(|word| word == "approve"),
            name,
        })
    }
}

fn known_tools(path: &Path) -> anyhow::Result<Vec<Tool>> {
    let text = std::fs::read(path).with_context(|| format!("reading `{}`", path.display()))?;
    let value: serde_json::Value =
        serde_json::from_slice(&text).with_context(|| format!("`{}` is not JSON", path.display()))?;
    let lists = [&value, &value["tools"], &value["result"]["tools"]];
    let list = lists.into_iter().find_map(serde_json::Value::as_array);
    let list = list.with_context(|| {
        format!("`{}` has no list of tools: write `{{\"tools\": [...]}}`", path.display())
    })?;
    list.iter().map(|tool| Tool::read(tool).context("a tool without a name")).collect()
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Scratch, policy};

    #[test]
    fn problems_have_a_place_and_fail() {
        let scratch = Scratch::new();
        let bad = scratch.file("bad.json", "{\n  \"version\": \"1\",\n  \"default\": \"ask\"\n}");
        let (good, printed) = policy(&["check", &bad], "");
        assert!(!good);
        assert_eq!(
            printed,
            format!(
                "{bad}:3:14: error[unknown_default] /default: unknown word `ask`: use `allow` or `deny`\n"
            )
        );
    }

    #[test]
    fn warnings_do_not() {
        let scratch = Scratch::new();
        let odd =
            scratch.file("odd.json", r#"{"version":"1","default":"allow","tools":{"list":{},"lists":{}}}"#);
        let tools = scratch.file("tools.json", r#"{"result":{"tools":[{"name":"list"},{"name":"wipe","annotations":{"destructiveHint":true}},{"name":"run_approve"}]}}"#);
        let (good, printed) = policy(&["check", &odd, "--tools", &tools], "");
        assert!(good);
        for code in [
            "warning[matches_no_tool] /tools/lists",
            "warning[destructive_allowed] /default",
            "warning[self_approval] /default",
        ] {
            assert!(printed.contains(code), "{printed}");
        }
        assert!(policy(&["check", &odd], "").1.ends_with("good\n"), "nothing is known of the server");
    }

    #[test]
    fn json_for_machines_and_standard_input() {
        let (good, printed) = policy(&["check", "--json", "-"], r#"{"version":"1"}"#);
        assert!(!good);
        let value: serde_json::Value = serde_json::from_str(&printed).unwrap();
        assert_eq!(value["files"][0]["problems"][0]["code"], "missing_field");
        assert_eq!(value["files"][0]["warnings"], serde_json::json!([]));
        let (good, _) = policy(&["check", "-"], r#"{"version":"1","default":"deny"}"#);
        assert!(good);
    }
}
