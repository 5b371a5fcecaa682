//! A file of cases: a policy, calls, and what is expected to become of them. JSON or YAML.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use json::Value;
use policy::Policy;

use super::line::{self, Line, MAX_DEPTH};

/// A file, read.
pub struct CaseFile {
    path: PathBuf,
    /// JSON, whatever the file was written in.
    text: Vec<u8>,
}

/// What became of a case.
pub struct Outcome {
    pub name: String,
    pub line: Line,
    /// Expected fields that came out otherwise: the field, what was expected, what came.
    pub differences: Vec<(&'static str, String, String)>,
}

/// The policy of a file's cases, or of one case.
pub enum Source {
    /// A grant without a policy.
    None,
    /// Read, and where it is from.
    Read { policy: Box<Policy>, from: String },
}

impl CaseFile {
    /// Reads a file. Numbers of YAML are read as floating point, those of JSON exactly.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read(path).with_context(|| format!("reading `{}`", path.display()))?;
        let text = if super::is_yaml(path) { super::yaml(&text)?.to_string().into_bytes() } else { text };
        Ok(Self { path: path.to_owned(), text })
    }

    /// The whole file as JSON.
    pub fn json(&self) -> anyhow::Result<Value<'_>> {
        json::parse(&self.text, MAX_DEPTH).map_err(|error| anyhow::anyhow!("{error}"))
    }

    /// The policy that an object gives: a document, the path of one beside the file, or null. `None` where it gives none.
    pub fn policy(&self, object: &Value<'_>) -> anyhow::Result<Option<Source>> {
        let Some(given) = object.get("policy") else { return Ok(None) };
        if given.is_null() {
            return Ok(Some(Source::None));
        }
        let (text, from) = match given.as_str() {
            Some(name) => {
                let path = self.path.parent().unwrap_or(Path::new("")).join(name);
                let text = std::fs::read(&path).with_context(|| format!("reading `{}`", path.display()))?;
                (text, path.display().to_string())
            }
            None => (given.span.of(&self.text).to_vec(), self.path.display().to_string()),
        };
        let policy = Policy::read(&text).map_err(|problems| {
            let lines: Vec<String> =
                problems.iter().map(|problem| format!("{}: {}", problem.pointer, problem.message)).collect();
            anyhow::anyhow!("the policy of `{from}` has problems: {}", lines.join("; "))
        })?;
        Ok(Some(Source::Read { policy: Box::new(policy), from }))
    }

    /// Judges a case and compares what it expects.
    pub fn judge(&self, case: &Value<'_>, source: &Source) -> anyhow::Result<Outcome> {
        let line = match source {
            Source::None => Line::refused("deny", policy::no_policy()),
            Source::Read { policy, .. } => line::judge(policy, case, &self.text),
        };
        let tool = case.pointer("/call/tool").and_then(Value::as_str).unwrap_or("a call");
        let name = case.get("name").and_then(Value::as_str).unwrap_or(tool).to_owned();
        let expected = case.get("expect").with_context(|| format!("the case `{name}` has no `expect`"))?;
        let fields = serde_json::to_value(&line)?;
        let mut differences = Vec::new();
        let known = ["outcome", "rule", "message", "charges", "shadow", "conditions", "expires_in"];
        for member in
            expected.as_object().with_context(|| format!("`expect` of `{name}` is not an object"))?.members()
        {
            let field = known.into_iter().find(|known| *known == member.key);
            let field = field.with_context(|| {
                format!("`{}` in `expect` of `{name}`: use {}", member.key, known.join(", "))
            })?;
            let actual = fields.get(field).unwrap_or(&serde_json::Value::Null).to_string();
            let same =
                json::parse(actual.as_bytes(), MAX_DEPTH).is_ok_and(|actual| actual.equals(&member.value));
            if !same {
                differences.push((field, member.value.canonical(), actual));
            }
        }
        anyhow::ensure!(expected.get("outcome").is_some(), "`expect` of `{name}` has no `outcome`");
        Ok(Outcome { name, line, differences })
    }
}
