//! `tollgate policy`: check, test, judge and import policy documents, without a database or a network.
//!
//! A file per subcommand. Each writes to what it is given, so that tests read what a person would.

mod cases;
mod check;
mod import;
mod intercept;
mod judge;
mod line;
mod test;

use std::io::{BufRead, Write};
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Subcommand;

/// `tollgate policy`.
#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Say everything that is wrong with policy documents, or odd about them
    Check(check::CheckArgs),
    /// Hold policies against cases: calls, and what is expected to become of them
    Test(test::TestArgs),
    /// Judge calls: JSON lines in, JSON lines out
    Judge(judge::JudgeArgs),
    /// Turn a PolicyLayer document or an Intercept policy into a document of ours
    Import(import::ImportArgs),
}

/// Runs a subcommand. The status is a failure when a document has problems or a case fails.
///
/// # Errors
/// A file can't be read, or the result can't be written.
pub fn run(
    command: &PolicyCommand,
    input: &mut dyn BufRead,
    output: &mut dyn Write,
    notes: &mut dyn Write,
) -> anyhow::Result<ExitCode> {
    let good = match command {
        PolicyCommand::Check(args) => check::run(args, input, output)?,
        PolicyCommand::Test(args) => test::run(args, output)?,
        PolicyCommand::Judge(args) => judge::run(args, input, output)?,
        PolicyCommand::Import(args) => import::run(args, input, output, notes)?,
    };
    output.flush().context("writing the result")?;
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The bytes of a file, or of `input` for `-`.
fn read(path: &Path, input: &mut dyn BufRead) -> anyhow::Result<Vec<u8>> {
    if path.as_os_str() != "-" {
        return std::fs::read(path).with_context(|| format!("reading `{}`", path.display()));
    }
    let mut bytes = Vec::new();
    input.read_to_end(&mut bytes).context("reading standard input")?;
    Ok(bytes)
}

/// Whether a file's name says that it is YAML.
fn is_yaml(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        extension.eq_ignore_ascii_case("yaml") || extension.eq_ignore_ascii_case("yml")
    })
}

/// YAML as a JSON value. Keys that stand twice, and numbers that JSON has not, are refused.
fn yaml(bytes: &[u8]) -> anyhow::Result<serde_json::Value> {
    fn json(value: serde_norway::Value) -> anyhow::Result<serde_json::Value> {
        use serde_norway::Value;
        Ok(match value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(truth) => truth.into(),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(number), ..) => number.into(),
                (_, Some(number), _) => number.into(),
                (.., float) => {
                    let float = float.and_then(serde_json::Number::from_f64);
                    serde_json::Value::Number(
                        float.with_context(|| format!("`{number}` is not a number of JSON"))?,
                    )
                }
            },
            Value::String(text) => text.into(),
            Value::Sequence(elements) => elements.into_iter().map(json).collect::<anyhow::Result<_>>()?,
            Value::Mapping(members) => {
                let member = |(key, value): (Value, Value)| match key {
                    Value::String(key) => Ok((key, json(value)?)),
                    other => anyhow::bail!("the key `{other:?}` is not a text: put it in quotes"),
                };
                serde_json::Value::Object(members.into_iter().map(member).collect::<anyhow::Result<_>>()?)
            }
            Value::Tagged(tagged) => anyhow::bail!("the tag `{}` has no meaning here: remove it", tagged.tag),
        })
    }
    json(serde_norway::from_slice(bytes)?)
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicU32, Ordering};

    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Cli {
        #[command(subcommand)]
        command: PolicyCommand,
    }

    /// Runs a command line; whether it succeeded, and all that it printed.
    pub fn try_policy(args: &[&str], mut input: &[u8]) -> anyhow::Result<(bool, String)> {
        let cli = Cli::try_parse_from(std::iter::once(&"policy").chain(args)).expect("a command line");
        let (mut output, mut notes) = (Vec::new(), Vec::new());
        let status = run(&cli.command, &mut input, &mut output, &mut notes)?;
        output.append(&mut notes);
        Ok((status == ExitCode::SUCCESS, String::from_utf8(output)?))
    }

    pub fn policy(args: &[&str], input: &str) -> (bool, String) {
        try_policy(args, input.as_bytes()).expect("runs")
    }

    /// A directory that goes when it is dropped.
    pub struct Scratch(PathBuf);

    impl Scratch {
        pub fn new() -> Self {
            static COUNT: AtomicU32 = AtomicU32::new(0);
            let count = COUNT.fetch_add(1, Ordering::Relaxed);
            let directory =
                std::env::temp_dir().join(format!("tollgate-policy-{}-{count}", std::process::id()));
            std::fs::create_dir(&directory).expect("a new directory");
            Self(directory)
        }

        pub fn path(&self, name: &str) -> String {
            self.0.join(name).display().to_string()
        }

        /// Writes a file; its path.
        pub fn file(&self, name: &str, text: &str) -> String {
            std::fs::write(self.0.join(name), text).expect("writes");
            self.path(name)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn yaml_is_as_strict_as_json() {
        let read = |text: &str| yaml(text.as_bytes());
        assert_eq!(
            read("a: [1, -2, 1.5, true, null, x]").expect("reads"),
            serde_json::json!({"a": [1, -2, 1.5, true, null, "x"]})
        );
        for bad in ["a: 1\na: 2", "a: .inf", "a: .nan", "1: a", "a: !tag x", "a: ["] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
