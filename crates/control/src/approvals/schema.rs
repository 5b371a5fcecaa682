//! Which arguments of a tool are secrets: by what its input schema says of them, or by their names.
//!
//! The schema is the upstream's own. It is followed as far as it can only add secrets: where branches or patterns may apply, all
//! of them do.

use serde_json::Value as Schema;

/// Words in a key that make its value a secret. Hyphens and underscores in the key don't count.
const WORDS: [&str; 8] =
    ["password", "passwd", "secret", "token", "apikey", "credential", "authorization", "privatekey"];
/// Schemas that are looked at for one value. What more of them speak of is a secret.
const MOST: usize = 64;

/// A place among the arguments, and all schemas that speak of it.
pub(super) struct Place<'s> {
    /// What references lead into.
    root: Option<&'s Schema>,
    schemas: Vec<&'s Schema>,
    secret: bool,
}

impl<'s> Place<'s> {
    /// The arguments as a whole.
    pub(super) fn root(schema: Option<&'s Schema>) -> Self {
        Self::new(schema, schema.into_iter(), false)
    }

    fn new(root: Option<&'s Schema>, schemas: impl Iterator<Item = &'s Schema>, named: bool) -> Self {
        let mut schemas: Vec<_> = schemas.take(MOST + 1).collect();
        let mut at = 0;
        while let Some(&schema) = schemas.get(at).filter(|_| schemas.len() <= MOST) {
            at += 1;
            for part in parts(schema, root) {
                if schemas.len() <= MOST && !schemas.iter().any(|known| std::ptr::eq(*known, part)) {
                    schemas.push(part);
                }
            }
        }
        let says = |schema: &&Schema| schema["format"] == "password" || schema["writeOnly"] == true;
        let secret = named || schemas.len() > MOST || schemas.iter().any(says);
        Self { root, schemas, secret }
    }

    /// The value of the key `key`.
    pub(super) fn member(&self, key: &str) -> Self {
        let of = |schema: &&'s Schema| {
            let own = schema["properties"].get(key);
            let patterns = schema["patternProperties"].as_object().into_iter().flat_map(|all| all.values());
            let rest = own.is_none().then(|| schema.get("additionalProperties")).flatten();
            own.into_iter().chain(patterns).chain(rest)
        };
        Self::new(self.root, self.schemas.iter().flat_map(of), is_named(key))
    }

    /// The element at `at`.
    pub(super) fn element(&self, at: usize) -> Self {
        let of = |schema: &&'s Schema| {
            let first = schema["prefixItems"].get(at).or_else(|| schema["items"].get(at));
            let all = schema.get("items").filter(|items| !items.is_array());
            first.into_iter().chain(all).chain(schema.get("additionalItems"))
        };
        Self::new(self.root, self.schemas.iter().flat_map(of), false)
    }

    /// Whether the value is one that is not to be seen.
    pub(super) fn is_secret(&self) -> bool {
        self.secret
    }
}

/// The schemas that speak of the same value.
fn parts<'s>(schema: &'s Schema, root: Option<&'s Schema>) -> impl Iterator<Item = &'s Schema> {
    let pointer = schema["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    let referred = pointer.and_then(|pointer| root?.pointer(pointer));
    let lists = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|key| schema[key].as_array()).flatten();
    let single = ["if", "then", "else"].into_iter().filter_map(|key| schema.get(key));
    referred.into_iter().chain(lists).chain(single)
}

fn is_named(key: &str) -> bool {
    let plain: String = key.to_lowercase().chars().filter(|c| !matches!(c, '-' | '_')).collect();
    WORDS.iter().any(|word| plain.contains(word))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_that_name_secrets_are_known() {
        for key in
            ["password", "dbPasswd", "client_secret", "TOKEN", "api_key", "api-key", "apiKey", "credentials"]
        {
            assert!(is_named(key), "{key}");
        }
        assert!(is_named("Authorization") && is_named("private-key") && is_named("PRIVATE_KEY"));
        for key in ["key", "pass", "name", "authorised_by", "run_id"] {
            assert!(!is_named(key), "{key}");
        }
    }

    #[test]
    fn schemas_are_followed_through_references_and_branches() {
        let schema = json!({
            "$defs": { "pin": { "format": "password" }, "loop": { "allOf": [{ "$ref": "#/$defs/loop" }] } },
            "properties": {
                "by_ref": { "$ref": "#/$defs/pin" },
                "by_branch": { "anyOf": [{ "type": "null" }, { "oneOf": [{ "writeOnly": true }] }] },
                "loop": { "$ref": "#/$defs/loop" },
                "pair": { "prefixItems": [{ "type": "string" }, { "$ref": "#/$defs/pin" }] },
                "open": { "additionalProperties": { "format": "password" }, "properties": { "seen": {} } },
            },
        });
        let root = Place::root(Some(&schema));
        assert!(root.member("by_ref").is_secret() && root.member("by_branch").is_secret());
        assert!(!root.member("loop").is_secret() && !root.member("other").is_secret());
        let pair = root.member("pair");
        assert!(!pair.element(0).is_secret() && pair.element(1).is_secret());
        let open = root.member("open");
        assert!(!open.member("seen").is_secret() && open.member("else").is_secret());
        // More than is looked through is not taken for harmless.
        let many = json!({ "properties": { "a": { "anyOf": vec![json!({}); MOST] } } });
        assert!(Place::root(Some(&many)).member("a").is_secret());
    }
}
