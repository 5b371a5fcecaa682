//! The table of tools beside the editor: a row shows what the document does to a tool; a changed row is written into
//! the document.

use std::collections::HashMap;

use control::{Choice, Effect, Tool, ToolChoice, ToolEffect};

use crate::form::Form;

/// The windows that the table offers; the JSON knows more.
pub const WINDOWS: [&str; 5] = ["second", "minute", "hour", "day", "month"];
/// What a limit is when none is typed.
const MAX: &str = "10";
const WINDOW: &str = "minute";
/// The choice that leaves the document as it is.
const KEEP: &str = "keep";

/// A row of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolRow {
    /// The tool's name.
    pub tool: String,
    /// Its category.
    pub category: &'static str,
    /// The choice that the document amounts to; `keep` where the table has no word for it.
    pub was: &'static str,
    /// The rule that decides, for a pointer that rests on the name.
    pub rule: String,
    /// Limits in words.
    pub limits: String,
    /// Typed beside it.
    pub max: String,
    /// Chosen beside it.
    pub window: &'static str,
    effect: Effect,
}

impl ToolRow {
    /// Values and words of the select.
    pub fn options(&self) -> Vec<(&'static str, &'static str)> {
        let kept = match self.effect {
            Effect::Conditional => Some((KEEP, "By arguments")),
            Effect::Approve => Some((KEEP, "Needs approval")),
            _ => None,
        };
        let plain = [("allow", "Allow"), ("deny", "Deny"), ("hide", "Hide"), ("limit", "Limit")];
        kept.into_iter().chain(plain).collect()
    }
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
            limits: found.limits.join(", "),
            max: String::new(),
            window: WINDOW,
            effect: found.effect,
        })
    };
    tools.iter().filter_map(row).collect()
}

fn word(effect: Effect) -> &'static str {
    match effect {
        Effect::Allow => "allow",
        Effect::Deny => "deny",
        Effect::Hide => "hide",
        Effect::Limit => "limit",
        Effect::Conditional | Effect::Approve => KEEP,
    }
}

/// What was changed in the table: rows whose choice differs from what the document said, and limits typed anew.
/// A number that is none is noted at the form.
pub fn changed(form: &mut Form) -> Vec<ToolChoice> {
    let mut rows: Vec<HashMap<String, String>> = Vec::new();
    for (name, value) in form.pairs() {
        if name == "tool" {
            rows.push(HashMap::new());
        }
        if let Some(row) = rows.last_mut() {
            row.insert(name.to_owned(), value.to_owned());
        }
    }
    rows.into_iter().filter_map(|row| choice(form, &row)).collect()
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
        _ => return None,
    };
    Some(ToolChoice { tool: tool.to_owned(), choice })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(body: &str) -> (Vec<ToolChoice>, Form) {
        let mut form = Form::read(body.as_bytes());
        (changed(&mut form), form)
    }

    #[test]
    fn only_changed_rows_are_written() {
        let (choices, form) = of("document={}&tool=a&was=allow&choice=allow&max=&window=minute\
             &tool=b&was=allow&choice=deny&max=&window=minute\
             &tool=c&was=limit&choice=limit&max=&window=hour\
             &tool=d&was=keep&choice=hide&tool=e&was=keep&choice=keep&do=save");
        assert!(form.is_clean());
        let named: Vec<_> = choices.iter().map(|row| (row.tool.as_str(), &row.choice)).collect();
        assert_eq!(named, [("b", &Choice::Deny), ("d", &Choice::Hide)]);
    }

    #[test]
    fn a_limit_takes_what_is_typed_or_ten_a_minute() {
        let (choices, _) = of("tool=a&was=allow&choice=limit&max=&window=minute\
             &tool=b&was=limit&choice=limit&max=3&window=day");
        let limit = |max, window: &str| Choice::Limit { max, window: window.to_owned() };
        assert_eq!(choices[0].choice, limit(10, "minute"));
        assert_eq!(choices[1].choice, limit(3, "day"));
    }

    #[test]
    fn a_limit_that_is_no_number_is_refused() {
        let (choices, form) = of("tool=a&was=allow&choice=limit&max=ten&window=minute");
        assert_eq!(choices, []);
        assert!(form.problems("").next().is_some_and(|problem| problem.contains("`ten`")));
    }
}
