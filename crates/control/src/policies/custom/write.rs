//! From the fields of the form back into the text: what was not changed keeps every byte.

use std::hash::Hash;

use similar::{Algorithm, DiffOp, capture_diff_slices};

use super::fields::{ConditionFields, LIMIT_FIELDS, LimitFields, RULES, RuleFields};
use super::{ASK, Custom, at_fields, value};
use crate::input::Problems;
use crate::policies::edit::{Edit, LONG, quoted};
use crate::policies::table::{governing, own_entry};
use crate::{Effect, Error};

/// The document with these conditions and limits in the tool's own entry, which it gets where it has none. An entry that was
/// changed since the form was made from it is not written over.
pub fn customise(document: &str, custom: &Custom) -> Result<String, Error> {
    let before = crate::policies::read(document).map_err(Error::InvalidPolicy)?;
    let mut edit = Edit::new(document);
    let entry = governing(&edit, &before, &custom.tool);
    let base = Custom::read(&custom.tool, entry.as_deref().unwrap_or("{}"));
    if base.base != custom.base {
        let message = "the entry was changed in the JSON since this form was opened: open it anew";
        return Err(Error::field("", message));
    }
    groups_are_json(custom)?;
    own_entry(&mut edit, &before, &custom.tool);
    let path = ["tools", custom.tool.as_str()];
    action(&mut edit, &path, &base, custom);
    rate(&mut edit, &path, &base, custom);
    for ((kind, old), new) in RULES.into_iter().zip(&base.rules).zip(&custom.rules) {
        let text = |rule: &RuleFields| rule_text(kind, rule);
        list(&mut edit, &path, kind, (old, new), text, |edit, path, old, new| {
            change_rule(edit, path, kind, old, new);
        });
    }
    let limits: Vec<LimitFields> = custom.limits.iter().map(|limit| limit.clone().tidy()).collect();
    list(&mut edit, &path, "limits", (&base.limits, &limits), limit_text, change_limit);

    let text = edit.into_text();
    let after = crate::policies::read(&text).map_err(|problems| at_fields(custom, problems))?;
    let outline = after.outline(&custom.tool);
    if Effect::from(outline.effect) == Effect::Hide {
        return Err(Error::field(
            "",
            format!("`{}` hides the tool: change that in the JSON first", outline.rule),
        ));
    }
    Ok(text)
}

/// A group is typed as JSON, and an edit of what is none would lose its way.
fn groups_are_json(custom: &Custom) -> Result<(), Error> {
    let mut problems = Problems::new();
    for (kind, rules) in RULES.into_iter().zip(&custom.rules) {
        for (at, rule) in rules.iter().enumerate() {
            for (n, condition) in rule.conditions.iter().enumerate() {
                let Some(json) = condition.json.as_deref() else { continue };
                if let Err(error) = json::parse(json.as_bytes(), crate::policies::edit::DEPTH) {
                    problems.note(
                        &format!("/{kind}/{at}/conditions/{n}/json"),
                        format!("is not JSON: {}", error.kind),
                    );
                }
            }
        }
    }
    problems.check()
}

fn action(edit: &mut Edit, entry: &[&str], base: &Custom, custom: &Custom) {
    if custom.ask {
        if !base.ask {
            edit.remove(entry, "reason");
            edit.set(entry, "action", &quoted(ASK));
        }
        member(edit, entry, "reason", (&base.reason, &custom.reason), quoted);
    } else if edit.raw(&[entry, &["action"]].concat()).is_some_and(|action| action != "\"allow\"") {
        edit.remove(entry, "action");
        edit.remove(entry, "reason");
    }
}

fn rate(edit: &mut Edit, entry: &[&str], base: &Custom, custom: &Custom) {
    let (max, window) = (custom.rate_max.trim(), custom.rate_window.trim());
    if (max, window) == (base.rate_max.trim(), base.rate_window.trim()) {
        return;
    }
    if max.is_empty() {
        edit.remove(entry, "rate_limit");
    } else if !window.is_empty() && window.bytes().all(|byte| byte.is_ascii_digit()) {
        let text = format!(
            "{{ \"max\": {}, \"window\": {} }}",
            value::json_or_text(max),
            value::json_or_text(window)
        );
        edit.set(entry, "rate_limit", &text);
    } else {
        edit.set(entry, "rate_limit", &quoted(&format!("{max}/{window}")));
    }
}

/// Makes a list of the entry another one.
fn list<T: Eq + Hash + Ord>(
    edit: &mut Edit,
    entry: &[&str],
    key: &str,
    (old, new): (&[T], &[T]),
    text: impl Fn(&T) -> String,
    change: impl Fn(&mut Edit, &[&str], &T, &T),
) {
    let path = [entry, &[key]].concat();
    if old != new && new.is_empty() {
        edit.remove(entry, key);
    } else if old.is_empty() && !new.is_empty() {
        let texts: Vec<String> = new.iter().map(text).collect();
        let inner = format!("{}  ", edit.indent(entry));
        let whole = match texts.as_slice() {
            [one] if one.len() <= LONG => format!("[{one}]"),
            _ => format!("[\n{inner}  {}\n{inner}]", texts.join(&format!(",\n{inner}  "))),
        };
        edit.set(entry, key, &whole);
    } else {
        sync(edit, &path, (old, new), text, change);
    }
}

/// Changes, takes out and adds elements; from the last to the first, so that the places of those before stay what they are.
fn sync<T: Eq + Hash + Ord>(
    edit: &mut Edit,
    path: &[&str],
    (old, new): (&[T], &[T]),
    text: impl Fn(&T) -> String,
    change: impl Fn(&mut Edit, &[&str], &T, &T),
) {
    let insert = |edit: &mut Edit, at: usize, from: usize, count: usize| {
        for element in new.iter().skip(from).take(count).rev() {
            edit.insert(path, at, &text(element));
        }
    };
    let take = |edit: &mut Edit, from: usize, to: usize| (from..to).rev().for_each(|at| edit.take(path, at));
    for step in capture_diff_slices(Algorithm::Myers, old, new).into_iter().rev() {
        match step {
            DiffOp::Equal { .. } => {}
            DiffOp::Delete { old_index, old_len, .. } => take(edit, old_index, old_index + old_len),
            DiffOp::Insert { old_index, new_index, new_len } => insert(edit, old_index, new_index, new_len),
            DiffOp::Replace { old_index, old_len, new_index, new_len } => {
                let both = old_len.min(new_len);
                take(edit, old_index + both, old_index + old_len);
                insert(edit, old_index + both, new_index + both, new_len - both);
                for n in 0..both {
                    let at = (old_index + n).to_string();
                    change(edit, &[path, &[at.as_str()]].concat(), &old[old_index + n], &new[new_index + n]);
                }
            }
        }
    }
}

fn message_key(kind: &str) -> &'static str {
    if kind == "approve_if" { "message" } else { "on_deny" }
}

fn rule_text(kind: &str, rule: &RuleFields) -> String {
    let conditions: Vec<String> = rule.conditions.iter().map(condition_text).collect();
    if let ("require", [only], "") = (kind, conditions.as_slice(), rule.message.trim()) {
        return only.clone();
    }
    let mut members = vec![format!("\"conditions\": [{}]", conditions.join(", "))];
    for (key, typed) in [(message_key(kind), &rule.message), ("expires_in", &rule.expires_in)] {
        if !typed.trim().is_empty() && (key != "expires_in" || kind == "approve_if") {
            members.push(format!("{}: {}", quoted(key), quoted(typed.trim())));
        }
    }
    format!("{{ {} }}", members.join(", "))
}

fn change_rule(edit: &mut Edit, path: &[&str], kind: &str, old: &RuleFields, new: &RuleFields) {
    if edit.raw(&[path, &["conditions"]].concat()).is_none() {
        match (old.conditions.as_slice(), new.conditions.as_slice(), new.message.trim()) {
            ([old], [new], "") => change_condition(edit, path, old, new),
            _ => edit.replace(path, &rule_text(kind, new)),
        }
        return;
    }
    let conditions = (old.conditions.as_slice(), new.conditions.as_slice());
    sync(edit, &[path, &["conditions"]].concat(), conditions, condition_text, change_condition);
    member(edit, path, message_key(kind), (&old.message, &new.message), quoted);
    if kind == "approve_if" {
        member(edit, path, "expires_in", (&old.expires_in, &new.expires_in), quoted);
    }
}

fn condition_text(condition: &ConditionFields) -> String {
    let ConditionFields { path, op, value, json } = condition;
    json.clone().unwrap_or_else(|| {
        let (path, op, value) = (quoted(path.trim()), quoted(op), value::written(op, value));
        format!("{{ \"path\": {path}, \"op\": {op}, \"value\": {value} }}")
    })
}

fn change_condition(edit: &mut Edit, path: &[&str], old: &ConditionFields, new: &ConditionFields) {
    if old.json.is_some() || new.json.is_some() {
        edit.replace(path, &condition_text(new));
        return;
    }
    member(edit, path, "path", (&old.path, &new.path), quoted);
    member(edit, path, "op", (&old.op, &new.op), quoted);
    if (old.value.trim(), &old.op) != (new.value.trim(), &new.op) {
        edit.set(path, "value", &value::written(&new.op, &new.value));
    }
}

fn limit_member(name: &str, is_text: bool, typed: &str) -> String {
    let is_seconds = name == "window" && typed.bytes().all(|byte| byte.is_ascii_digit());
    if is_text && !is_seconds { quoted(typed) } else { value::json_or_text(typed) }
}

fn limit_text(limit: &LimitFields) -> String {
    let needed = ["counter", "max", "window"];
    let members = LIMIT_FIELDS.iter().filter_map(|(name, is_text)| {
        let typed = limit.get(name).trim();
        let written = !typed.is_empty() || needed.contains(name);
        written.then(|| format!("{}: {}", quoted(name), limit_member(name, *is_text, typed)))
    });
    format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
}

fn change_limit(edit: &mut Edit, path: &[&str], old: &LimitFields, new: &LimitFields) {
    for (name, is_text) in LIMIT_FIELDS {
        let text = |typed: &str| limit_member(name, is_text, typed);
        member(edit, path, name, (old.get(name), new.get(name)), text);
    }
}

/// Sets, or takes out, a member whose field was changed.
fn member(
    edit: &mut Edit,
    path: &[&str],
    key: &str,
    (old, new): (&str, &str),
    text: impl Fn(&str) -> String,
) {
    let new = new.trim();
    if old.trim() == new {
        return;
    }
    if new.is_empty() {
        edit.remove(path, key);
    } else {
        edit.set(path, key, &text(new));
    }
}
