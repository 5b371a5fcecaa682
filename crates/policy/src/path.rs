//! Paths: what a condition, a key or a cost looks at.

use std::fmt;

use json::Value;

use crate::call::Call;
use crate::work;

/// A path that has been read. Displays as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Path {
    text: Box<str>,
    pub(crate) root: Root,
    pub(crate) steps: Box<[Step]>,
}

/// Where a path begins. Only the arguments can be stepped into.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Root {
    Args,
    GrantLabel,
    GrantIdentity,
    ClientName,
    ClientVersion,
    ServerName,
    ToolName,
}

impl Root {
    /// The text of the context that a root names; the arguments are none.
    pub(crate) fn text<'a>(self, call: &Call<'a>) -> Option<&'a str> {
        match self {
            Self::Args => None,
            Self::GrantLabel => call.context.grant_label,
            Self::GrantIdentity => call.context.grant_identity,
            Self::ClientName => call.context.client_name,
            Self::ClientVersion => call.context.client_version,
            Self::ServerName => call.context.server_name,
            Self::ToolName => Some(call.tool),
        }
    }
}

/// One step into the arguments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    /// A key of an object.
    Key(Box<str>),
    /// An element of a list.
    Index(usize),
    /// Every element of a list.
    Each,
}

/// Why a text is not a path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum PathError {
    #[error(
        "a path starts with `args`, or is one of `grant.label`, `grant.identity`, `client.name`, `client.version`, \
         `server.name`, `tool.name`"
    )]
    Root,
    #[error("a step is missing at character {0}: write `.key`, `[0]`, `[*]` or `[\"any key\"]`")]
    Step(usize),
    #[error("the key at character {0} needs quotes: write it as `[\"...\"]`")]
    Quote(usize),
    #[error("the bracket at character {0} holds neither an index, `*` nor a key in double quotes")]
    Bracket(usize),
}

impl Path {
    /// Reads a path: `args`, `args.a[0]["b.c"][*].d`, or a name of the context.
    pub(crate) fn parse(text: &str) -> Result<Self, PathError> {
        let root = match text {
            "grant.label" => Root::GrantLabel,
            "grant.identity" => Root::GrantIdentity,
            "client.name" => Root::ClientName,
            "client.version" => Root::ClientVersion,
            "server.name" => Root::ServerName,
            "tool.name" => Root::ToolName,
            _ => Root::Args,
        };
        let mut steps = Vec::new();
        if root == Root::Args {
            let mut rest = text.strip_prefix("args").ok_or(PathError::Root)?;
            if !rest.is_empty() && !rest.starts_with(['.', '[']) {
                return Err(PathError::Root);
            }
            while !rest.is_empty() {
                let at = text[..text.len() - rest.len()].chars().count() + 1;
                let (step, after) = step(rest, at)?;
                steps.push(step);
                rest = after;
            }
        }
        Ok(Self { text: text.into(), root, steps: steps.into() })
    }

    /// Whether it has `[*]`, and so may name several values.
    pub(crate) fn is_plural(&self) -> bool {
        self.steps.contains(&Step::Each)
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Reads one step; `at` counts characters from 1.
fn step(text: &str, at: usize) -> Result<(Step, &str), PathError> {
    if let Some(rest) = text.strip_prefix('.') {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (key, rest) = rest.split_at(end);
        if key.is_empty() {
            return Err(PathError::Step(at));
        }
        let plain = |c: char| {
            !matches!(c, ']' | '"' | '\'' | '\\' | '*' | '?' | '(' | ')' | '`' | ',')
                && !c.is_whitespace()
                && !c.is_control()
        };
        return if key.chars().all(plain) {
            Ok((Step::Key(key.into()), rest))
        } else {
            Err(PathError::Quote(at + 1))
        };
    }
    let Some(inner) = text.strip_prefix('[') else { return Err(PathError::Step(at)) };
    if inner.starts_with('"') {
        let (key, rest) = quoted(inner).ok_or(PathError::Bracket(at))?;
        return Ok((Step::Key(key), rest));
    }
    let (content, rest) = inner.split_once(']').ok_or(PathError::Bracket(at))?;
    let index = || {
        let canonical = content == "0" || !content.starts_with(['0', '+']);
        content.parse::<usize>().ok().filter(|_| canonical)
    };
    match content {
        "*" => Ok((Step::Each, rest)),
        _ => index().map(|index| (Step::Index(index), rest)).ok_or(PathError::Bracket(at)),
    }
}

/// Reads a JSON string and the bracket behind it.
fn quoted(text: &str) -> Option<(Box<str>, &str)> {
    let mut escaped = false;
    let end = text.char_indices().skip(1).find_map(|(at, c)| {
        let closes = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        closes.then_some(at + 1)
    })?;
    let key = json::parse(&text.as_bytes()[..end], 0).ok()?;
    Some((key.as_str()?.into(), text[end..].strip_prefix(']')?))
}

/// What a path leads to.
#[derive(Clone, Copy)]
pub(crate) enum Found<'a> {
    /// Nothing, or `null`.
    Missing,
    /// A step that the value can't take.
    WrongType,
    /// A value of the arguments.
    Value(&'a Value<'a>),
    /// A text of the context.
    Text(&'a str),
}

impl<'a> Found<'a> {
    /// The string, from wherever it is.
    pub(crate) fn as_str(&self) -> Option<&'a str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Value(value) => value.as_str(),
            Self::Missing | Self::WrongType => None,
        }
    }
}

/// Whether `wanted` says yes to anything that the steps lead to. An empty list is one missing value to `[*]`.
/// Visits no value twice, so it is linear in the arguments.
pub(crate) fn any<'a>(
    value: &'a Value<'a>,
    steps: &[Step],
    wanted: &mut dyn FnMut(Found<'a>) -> bool,
) -> bool {
    let mut value = value;
    work::steps(1);
    for (taken, step) in steps.iter().enumerate() {
        work::steps(1);
        if value.is_null() {
            return wanted(Found::Missing);
        }
        let next = match step {
            Step::Key(key) => value.as_object().map(|object| object.get(key)),
            Step::Index(index) => value.as_array().map(|elements| elements.get(*index)),
            Step::Each => {
                return match value.as_array() {
                    None => wanted(Found::WrongType),
                    Some([]) => wanted(Found::Missing),
                    Some(elements) => {
                        elements.iter().any(|element| any(element, &steps[taken + 1..], wanted))
                    }
                };
            }
        };
        match next {
            None => return wanted(Found::WrongType),
            Some(None) => return wanted(Found::Missing),
            Some(Some(inner)) => value = inner,
        }
    }
    wanted(if value.is_null() { Found::Missing } else { Found::Value(value) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_of_every_kind() {
        let path = Path::parse(r#"args.a.b_c-d[0]["key.with \"dots\""][*].é[12]"#).expect("a path");
        let key = |text: &str| Step::Key(text.into());
        let steps = [
            key("a"),
            key("b_c-d"),
            Step::Index(0),
            key("key.with \"dots\""),
            Step::Each,
            key("é"),
            Step::Index(12),
        ];
        assert_eq!((path.root, &*path.steps), (Root::Args, steps.as_slice()));
        assert_eq!(path.to_string(), r#"args.a.b_c-d[0]["key.with \"dots\""][*].é[12]"#);
        assert!(Path::parse("args").is_ok_and(|path| path.steps.is_empty()));
        assert!(Path::parse("args[0]").is_ok_and(|path| !path.is_plural()));
        assert!(Path::parse("args[*]").is_ok_and(|path| path.is_plural()));
    }

    #[test]
    fn names_of_the_context() {
        for (text, root) in [
            ("grant.label", Root::GrantLabel),
            ("grant.identity", Root::GrantIdentity),
            ("client.name", Root::ClientName),
            ("client.version", Root::ClientVersion),
            ("server.name", Root::ServerName),
            ("tool.name", Root::ToolName),
        ] {
            assert_eq!(Path::parse(text).map(|path| path.root), Ok(root));
        }
    }

    #[test]
    fn nothing_else_is_a_path() {
        for (text, error) in [
            ("", PathError::Root),
            ("arg", PathError::Root),
            ("argsx", PathError::Root),
            ("Args.a", PathError::Root),
            (" args", PathError::Root),
            ("args ", PathError::Root),
            ("grant", PathError::Root),
            ("grant.token", PathError::Root),
            ("grant.label.x", PathError::Root),
            ("tool.name[0]", PathError::Root),
            ("$.args", PathError::Root),
            ("args.", PathError::Step(5)),
            ("args..a", PathError::Step(5)),
            ("args.a.", PathError::Step(7)),
            ("args[0]a", PathError::Step(8)),
            ("args.a b", PathError::Quote(6)),
            ("args.*", PathError::Quote(6)),
            ("args.é.a\"", PathError::Quote(8)),
            ("args[", PathError::Bracket(5)),
            ("args[]", PathError::Bracket(5)),
            ("args[-1]", PathError::Bracket(5)),
            ("args[+1]", PathError::Bracket(5)),
            ("args[01]", PathError::Bracket(5)),
            ("args[1", PathError::Bracket(5)),
            ("args[ 1]", PathError::Bracket(5)),
            ("args['a']", PathError::Bracket(5)),
            ("args[a]", PathError::Bracket(5)),
            ("args[99999999999999999999]", PathError::Bracket(5)),
            (r#"args["a]"#, PathError::Bracket(5)),
            (r#"args["a"x]"#, PathError::Bracket(5)),
            (r#"args["\x"]"#, PathError::Bracket(5)),
            (r#"args["\ud800"]"#, PathError::Bracket(5)),
        ] {
            assert_eq!(Path::parse(text), Err(error), "{text}");
        }
    }

    fn found(arguments: &str, path: &str) -> Vec<String> {
        let value = json::parse(arguments.as_bytes(), 64).expect("JSON").into_owned();
        let path = Path::parse(path).expect("a path");
        let mut all = Vec::new();
        any(&value, &path.steps, &mut |found| {
            all.push(match found {
                Found::Missing => "missing".to_owned(),
                Found::WrongType => "wrong type".to_owned(),
                Found::Value(value) => value.canonical(),
                Found::Text(text) => text.to_owned(),
            });
            false
        });
        all
    }

    #[test]
    fn walking() {
        for (arguments, path, expected) in [
            (r#"{"a":{"b":1}}"#, "args.a.b", vec!["1"]),
            (r#"{"a":1}"#, "args", vec![r#"{"a":1}"#]),
            (r#"{"a":null}"#, "args.a", vec!["missing"]),
            (r#"{"a":null}"#, "args.a.b[0][*]", vec!["missing"]),
            ("{}", "args.a.b", vec!["missing"]),
            (r#"{"a":[]}"#, "args.a[0]", vec!["missing"]),
            (r#"{"a":"x"}"#, "args.a.b", vec!["wrong type"]),
            (r#"{"a":"x"}"#, "args.a[0]", vec!["wrong type"]),
            (r#"{"a":{"0":1}}"#, "args.a[0]", vec!["wrong type"]),
            (r#"{"a":{"b":1}}"#, "args.a[*]", vec!["wrong type"]),
            (r#"{"a":[1]}"#, "args.a.b", vec!["wrong type"]),
            (r#"{"a":7}"#, "args.a[*]", vec!["wrong type"]),
            (r#"{"a":[1,null,{"b":2}]}"#, "args.a[*]", vec!["1", "missing", r#"{"b":2}"#]),
            (r#"{"a":[1,{},{"b":2}]}"#, "args.a[*].b", vec!["wrong type", "missing", "2"]),
            (r#"{"a":[[1,2],[],[3]]}"#, "args.a[*][*]", vec!["1", "2", "missing", "3"]),
            (r#"{"a":[]}"#, "args.a[*]", vec!["missing"]),
        ] {
            assert_eq!(found(arguments, path), expected, "{arguments} {path}");
        }
    }
}
