//! The table of tools beside the editor: a row shows what the document does to a tool; a changed row is written into
//! the document.

use std::collections::HashMap;

use control::{Choice, Effect, PolicyCheck, Tool, ToolChoice, ToolEffect};

use crate::form::Form;
use crate::hex;

/// The windows that the table offers; the JSON knows more.
pub const WINDOWS: [&str; 5] = ["second", "minute", "hour", "day", "month"];
/// Values and words of a row's select.
pub const OPTIONS: [(&str, &str); 6] = [
    ("allow", "Allow"),
    ("deny", "Deny"),
    ("hide", "Hide"),
    ("ask", "Ask"),
    ("limit", "Limit"),
    ("custom", "Custom"),
];
/// What a limit is when none is typed.
const MAX: &str = "10";
const WINDOW: &str = "minute";

/// A row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolRow {
    /// The tool's name.
    pub tool: String,
    /// Its category.
    pub category: &'static str,
    /// The choice that the document amounts to.
    pub was: &'static str,
    /// The rule that decides, for a pointer that rests on the name.
    pub rule: String,
    /// Limits in words.
    pub limits: String,
    /// Typed beside it.
    pub max: String,
    /// Chosen beside it.
    pub window: &'static str,
}

/// What was changed in the table.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changed {
    /// Rows whose choice differs from what the document said, and limits typed anew.
    pub choices: Vec<ToolChoice>,
    /// The tool that is to have conditions of its own.
    pub custom: Option<String>,
}

/// A row a tool, in the upstream's order. Without effects (the document can't be read) there are none.
pub fn rows(tools: &[Tool], effects: &[ToolEffect]) -> Vec<ToolRow> {
    let effects: HashMap<&str, &ToolEffect> =
        effects.iter().map(|effect| (effect.tool.as_str(), effect)).collect();
    let row = |tool: &Tool| {
        let found = effects.get(tool.name.as_str())?;
        Some(ToolRow {
            tool: tool.name.clone(),
            category: tool.category.as_str(),
            was: word(found.effect),
            rule: found.rule.clone(),
            limits: found.limits.iter().map(|words| for_each_grant(words)).collect::<Vec<_>>().join(", "),
            max: String::new(),
            window: WINDOW,
        })
    };
    tools.iter().filter_map(row).collect()
}

/// A limit in words, under a heading that says `For each grant`.
fn for_each_grant(words: &str) -> &str {
    words.strip_suffix(" for each grant").unwrap_or(words)
}

fn word(effect: Effect) -> &'static str {
    match effect {
        Effect::Allow => "allow",
        Effect::Deny => "deny",
        Effect::Hide => "hide",
        Effect::Limit => "limit",
        Effect::Approve => "ask",
        Effect::Conditional => "custom",
    }
}

/// What all rows together say, in short: another one means that the tables are to be read anew.
pub fn signature(check: &PolicyCheck) -> String {
    let tools = check.effects.iter().map(|one| {
        let ToolEffect { tool, effect, rule, limits } = one;
        format!("{tool}\n{}\n{rule}\n{}\n", effect.as_str(), limits.join("\n"))
    });
    let parts =
        check.methods.iter().map(|one| format!("{}\n{}\n{}\n", one.part, one.effect.as_str(), one.rule));
    hex::encode(&vault::sha256(tools.chain(parts).collect::<String>().as_bytes())[..8])
}

/// What passes with a part of the protocol beside tools, in words.
pub fn means(part: &str) -> &'static str {
    match part {
        "resources" => "Client reads resources",
        "prompts" => "Client takes prompts",
        "completion" => "Client completes arguments",
        "sampling" => "Server asks the model",
        "elicitation" => "Server asks the person",
        "roots" => "Server asks for folders",
        _ => "",
    }
}

/// What was changed in the table. A number that is none is noted at the form.
pub fn changed(form: &mut Form) -> Changed {
    let mut rows: Vec<HashMap<String, String>> = Vec::new();
    for (name, value) in form.pairs() {
        if name == "tool" {
            rows.push(HashMap::new());
        }
        if let Some(row) = rows.last_mut() {
            row.insert(name.to_owned(), value.to_owned());
        }
    }
    let asked = |row: &&HashMap<String, String>| {
        let is = |name: &str| row.get(name).is_some_and(|value| value == "custom");
        is("choice") && !is("was")
    };
    let custom = rows.iter().find(asked).and_then(|row| row.get("tool").cloned());
    Changed { choices: rows.into_iter().filter_map(|row| choice(form, &row)).collect(), custom }
}

fn choice(form: &mut Form, row: &HashMap<String, String>) -> Option<ToolChoice> {
    let field = |name: &str| row.get(name).map_or("", |value| value.trim());
    let (tool, was, chosen, typed) = (field("tool"), field("was"), field("choice"), field("max"));
    let choice = match chosen {
        "limit" if was != "limit" || !typed.is_empty() => {
            let max = if typed.is_empty() { MAX } else { typed };
            let Ok(max) = max.parse() else {
                form.refuse(
                    "",
                    &format!("the limit of `{tool}` is `{max}`: type a whole number, such as 10"),
                );
                return None;
            };
            let window = Some(field("window")).filter(|window| !window.is_empty()).unwrap_or(WINDOW);
            Choice::Limit { max, window: window.to_owned() }
        }
        same if same == was => return None,
        "allow" => Choice::Allow,
        "deny" => Choice::Deny,
        "hide" => Choice::Hide,
        "ask" => Choice::Approve,
        _ => return None,
    };
    Some(ToolChoice { tool: tool.to_owned(), choice })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &str) -> (Changed, Form) {
        let mut form = Form::read(body.as_bytes());
        (changed(&mut form), form)
    }

    #[test]
    fn only_changed_rows_are_written() {
        let (changed, form) = of("document={}&tool=a&was=allow&choice=allow&max=&window=minute\
             &tool=b&was=allow&choice=deny&max=&window=minute\
             &tool=c&was=limit&choice=limit&max=&window=hour\
             &tool=d&was=custom&choice=hide&tool=e&was=custom&choice=custom\
             &tool=f&was=deny&choice=ask&do=save");
        assert!(form.is_clean());
        let named: Vec<_> = changed.choices.iter().map(|row| (row.tool.as_str(), &row.choice)).collect();
        assert_eq!(named, [("b", &Choice::Deny), ("d", &Choice::Hide), ("f", &Choice::Approve)]);
        assert_eq!(changed.custom, None);
    }

    #[test]
    fn conditions_are_written_in_a_form_of_their_own() {
        let (changed, _) =
            of("tool=a&was=allow&choice=deny&tool=b&was=deny&choice=custom&tool=c&was=custom&choice=custom");
        assert_eq!((changed.choices.len(), changed.custom.as_deref()), (1, Some("b")));
    }

    #[test]
    fn a_limit_takes_what_is_typed_or_ten_a_minute() {
        let (changed, _) = of("tool=a&was=allow&choice=limit&max=&window=minute\
             &tool=b&was=limit&choice=limit&max=3&window=day");
        let limit = |max, window: &str| Choice::Limit { max, window: window.to_owned() };
        assert_eq!(changed.choices[0].choice, limit(10, "minute"));
        assert_eq!(changed.choices[1].choice, limit(3, "day"));
    }

    #[test]
    fn a_limit_that_is_no_number_is_refused() {
        let (changed, form) = of("tool=a&was=allow&choice=limit&max=ten&window=minute");
        assert_eq!(changed, Changed::default());
        assert!(form.problems("").next().is_some_and(|problem| problem.contains("`ten`")));
    }

    #[test]
    fn the_signature_is_that_of_what_is_shown() {
        let effect = |rule: &str| ToolEffect {
            tool: "a".to_owned(),
            effect: Effect::Allow,
            rule: rule.to_owned(),
            limits: Vec::new(),
        };
        let check = |rule: &str, part: &str| PolicyCheck {
            problems: Vec::new(),
            warnings: Vec::new(),
            canonical: None,
            effects: vec![effect(rule)],
            methods: vec![control::MethodEffect {
                part: "roots".to_owned(),
                effect: Effect::Deny,
                rule: part.to_owned(),
            }],
        };
        let said = |rule: &str, part: &str| signature(&check(rule, part));
        assert_eq!(said("/tools/a", "/default"), said("/tools/a", "/default"));
        assert_ne!(said("/tools/a", "/default"), said("/tools/*", "/default"));
        assert_ne!(said("/tools/a", "/default"), said("/tools/a", "/methods/roots"));
    }
}
