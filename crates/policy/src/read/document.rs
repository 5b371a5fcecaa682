//! The document itself, its tools and what it hides.

use domain::Surface;
use json::Value;

use super::{Reader, shown};
use crate::document::{Entry, Hidden, Mode, Policy, Tool};
use crate::glob::{Glob, MAX_NAME};
use crate::methods::Methods;

const FIELDS: [&str; 9] = [
    "version",
    "description",
    "default",
    "hide",
    "validate_arguments",
    "mode",
    "methods",
    "all_tools",
    "tools",
];
/// The words for what is let through and what is not.
const STANCES: [(&str, bool); 2] = [("allow", true), ("deny", false)];

impl Reader<'_> {
    pub(super) fn document(&mut self, value: &Value<'_>) -> Option<Policy> {
        let object = self.object(value, "a policy: an object with `version`, `default` and `tools`")?;
        let mut policy = Policy {
            description: None,
            default_allows: false,
            mode: Mode::default(),
            validate_arguments: false,
            methods: Methods::default(),
            hide: Vec::new(),
            all_tools: Entry { pointer: "/all_tools".into(), ..Entry::default() },
            tools: Vec::new(),
            exact: 0,
            notes: Vec::new(),
        };
        self.fields(object, &FIELDS, |reader, field, value| match field {
            "version" => reader.version(value),
            "description" => policy.description = reader.text(value, "a text for people").map(Into::into),
            "default" => {
                policy.default_allows = reader.word(value, "unknown_default", &STANCES).unwrap_or(false);
            }
            "hide" => {
                let hidden = reader.elements(value, "a list of tool names and globs", |reader, value, _| {
                    reader.hidden(value)
                });
                policy.hide.extend(hidden);
            }
            "validate_arguments" => policy.validate_arguments = reader.flag(value).unwrap_or(true),
            "mode" => policy.mode = reader.mode(value).unwrap_or_default(),
            "methods" => policy.methods = reader.methods(value),
            "all_tools" => policy.all_tools = reader.entry_of_all(value),
            _ => reader.tools(value, &mut policy),
        });
        for (field, how) in
            [("version", "write \"version\": \"1\""), ("default", "write \"default\": \"deny\"")]
        {
            if object.get(field).is_none() {
                self.missing(value, field, how);
            }
        }
        policy.tools.sort_by(|a, b| a.key.precedence(&b.key));
        policy.exact = policy.tools.partition_point(|tool| tool.key.is_exact());
        Some(policy)
    }

    fn version(&mut self, value: &Value<'_>) {
        if value.as_str() != Some("1") {
            self.problem(
                value.span,
                "unknown_version",
                "only version \"1\" is known: write \"version\": \"1\"",
            );
        }
    }

    fn methods(&mut self, value: &Value<'_>) -> Methods {
        let mut methods = Methods::default();
        let wanted = "an object: `resources`, `prompts`, .. to `allow` or `deny`";
        let Some(object) = self.object(value, wanted) else { return methods };
        let known = Surface::ALL.map(Surface::as_str);
        self.fields(object, &known, |reader, field, value| {
            let surface = Surface::ALL.into_iter().find(|surface| surface.as_str() == field);
            let allows = reader.word(value, "unknown_stance", &STANCES);
            if let (Some(surface), Some(allows)) = (surface, allows) {
                methods.set(surface, allows);
            }
        });
        methods
    }

    fn hidden(&mut self, value: &Value<'_>) -> Option<Hidden> {
        let name = self.text(value, "a tool name or glob")?;
        let at = self.at(value.span);
        let glob = self.name(name, value.span)?;
        Some(Hidden { glob, pointer: self.pointer.as_str().into(), at })
    }

    /// A tool name or glob that can be matched at all.
    fn name(&mut self, name: &str, span: json::Span) -> Option<Glob> {
        let message = if name.is_empty() {
            "a tool has a name: write one, or a glob".to_owned()
        } else if name.len() > MAX_NAME {
            format!(
                "`{}` is longer than {MAX_NAME} bytes, which no allowed tool's name is: shorten it",
                shown(name)
            )
        } else {
            return Some(Glob::new(name));
        };
        self.problem(span, "bad_name", message);
        None
    }

    fn tools(&mut self, value: &Value<'_>, policy: &mut Policy) {
        let Some(object) = self.object(value, "an object: a tool name or glob to its entry") else { return };
        for member in object.members() {
            let at = self.at(member.key_span);
            let key = self.within(&member.key, |reader| reader.name(&member.key, member.key_span));
            let Some(key) = key else { continue };
            let (entry, hides) = self.within(&member.key, |reader| reader.entry(&member.value, &key));
            if let Some(action) = hides {
                policy.hide.push(Hidden { glob: key.clone(), pointer: action, at });
            }
            policy.tools.push(Tool { key, at, entry });
        }
    }
}
