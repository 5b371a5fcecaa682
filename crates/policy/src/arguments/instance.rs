//! Lets `jsonschema` walk our own values, so that what is validated is what was parsed, numbers included.

use std::borrow::Cow;
use std::cmp::Ordering;

use json::{Member, Node as Kind, Number, Object as JsonObject, Value};
use jsonschema::JsonType;
use jsonschema::json::{Array, Json, JsonNumber, Node, NodeIdentity, Object};

/// Strictly parsed values, with numbers of exact text.
pub(super) struct Exact;

impl Json for Exact {
    type Node<'a> = &'a Value<'a>;
    type PreparedKey = Box<str>;
    type StringBuffer = Option<Value<'static>>;

    fn prepare_key(key: &str) -> Box<str> {
        key.into()
    }

    fn with_string_node<T>(
        buffer: &mut Option<Value<'static>>,
        string: &str,
        f: impl FnOnce(Self::Node<'_>) -> T,
    ) -> T {
        f(buffer.insert(Value::string(string).into_owned()))
    }
}

impl<'a> Node<'a, Exact> for &'a Value<'a> {
    type Object = &'a JsonObject<'a>;
    type Array = &'a [Value<'a>];
    type Number = Decimal<'a>;

    fn as_object(&self) -> Option<Self::Object> {
        Value::as_object(self)
    }

    fn as_array(&self) -> Option<Self::Array> {
        Value::as_array(self)
    }

    fn as_string(&self) -> Option<Cow<'a, str>> {
        self.as_str().map(Cow::Borrowed)
    }

    fn as_number(&self) -> Option<Decimal<'a>> {
        Value::as_number(self).map(Decimal)
    }

    fn as_boolean(&self) -> Option<bool> {
        self.as_bool()
    }

    fn is_null(&self) -> bool {
        Value::is_null(self)
    }

    fn json_type(&self) -> JsonType {
        match self.node {
            Kind::Null => JsonType::Null,
            Kind::Bool(_) => JsonType::Boolean,
            Kind::Number(_) => JsonType::Number,
            Kind::String(_) => JsonType::String,
            Kind::Array(_) => JsonType::Array,
            Kind::Object(_) => JsonType::Object,
        }
    }

    fn equals_value(&self, expected: &serde_json::Value) -> bool {
        equals(self, expected)
    }

    fn to_value(&self) -> Cow<'a, serde_json::Value> {
        // Asked for to build errors, whose values are never shown.
        Cow::Owned(serde_json::Value::Null)
    }

    fn identity(&self) -> Option<NodeIdentity> {
        Some(NodeIdentity::new(std::ptr::from_ref::<Value<'_>>(self).addr()))
    }
}

/// Deep equality with a value of the schema.
fn equals(value: &Value<'_>, expected: &serde_json::Value) -> bool {
    use serde_json::Value as Expected;
    match (&value.node, expected) {
        (Kind::Null, Expected::Null) => true,
        (Kind::Bool(a), Expected::Bool(b)) => a == b,
        (Kind::Number(a), Expected::Number(b)) => {
            Number::parse(&b.to_string()).is_some_and(|b| a.compare(&b) == Ordering::Equal)
        }
        (Kind::String(a), Expected::String(b)) => a == b,
        (Kind::Array(a), Expected::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| equals(a, b))
        }
        (Kind::Object(a), Expected::Object(b)) => {
            a.len() == b.len() && b.iter().all(|(key, b)| a.get(key).is_some_and(|a| equals(a, b)))
        }
        _ => false,
    }
}

impl<'a> Object<'a, Exact> for &'a JsonObject<'a> {
    type Node = &'a Value<'a>;
    type MemberName = &'a str;
    type MembersIter = Members<'a>;

    fn len(&self) -> usize {
        JsonObject::len(self)
    }

    fn get(&self, key: &Box<str>) -> Option<&'a Value<'a>> {
        JsonObject::get(self, key)
    }

    fn members(&self) -> Members<'a> {
        Members(JsonObject::members(self).iter())
    }
}

/// Names and values in the order of the text.
pub(super) struct Members<'a>(std::slice::Iter<'a, Member<'a>>);

impl<'a> Iterator for Members<'a> {
    type Item = (&'a str, &'a Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|member| (member.key.as_ref(), &member.value))
    }
}

impl<'a> Array<'a, Exact> for &'a [Value<'a>] {
    type Node = &'a Value<'a>;
    type ElementsIter = std::slice::Iter<'a, Value<'a>>;

    fn len(&self) -> usize {
        <[Value<'_>]>::len(self)
    }

    fn elements(&self) -> Self::ElementsIter {
        self.iter()
    }

    fn is_unique(&self) -> bool {
        let mut sorted: Vec<&Value<'_>> = self.iter().collect();
        sorted.sort_unstable_by(|a, b| a.compare(b));
        sorted.windows(2).all(|pair| !pair[0].equals(pair[1]))
    }
}

/// A number, converted only as far as the schema asks.
pub(super) struct Decimal<'a>(&'a Number<'a>);

impl JsonNumber for Decimal<'_> {
    fn as_u64(&self) -> Option<u64> {
        self.0.text().parse().ok()
    }

    fn as_i64(&self) -> Option<i64> {
        self.0.text().parse().ok()
    }

    fn as_f64(&self) -> Option<f64> {
        // A number of our range may still be beyond the greatest `f64`.
        self.0.text().parse().ok().filter(|number: &f64| number.is_finite())
    }

    fn as_str(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.0.text())
    }

    fn to_number(&self) -> Cow<'_, serde_json::Number> {
        let float = || serde_json::Number::from_f64(self.as_f64()?);
        let whole = self.as_u64().map(Into::into).or_else(|| self.as_i64().map(Into::into));
        Cow::Owned(whole.or_else(float).unwrap_or_else(|| 0.into()))
    }

    fn is_integer(&self) -> bool {
        self.0.is_whole()
    }

    fn is_written_as_integer(&self) -> bool {
        !self.0.text().contains(['.', 'e', 'E'])
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(text: &str) -> Value<'_> {
        json::parse(text.as_bytes(), 64).expect("JSON")
    }

    #[test]
    fn equality_with_the_values_of_a_schema() {
        let same = [
            ("null", json!(null)),
            ("true", json!(true)),
            ("false", json!(false)),
            ("1.0", json!(1)),
            ("0", json!(0)),
            ("\"a\"", json!("a")),
            ("\"\"", json!("")),
            ("[]", json!([])),
            ("[1,\"a\"]", json!([1, "a"])),
            ("[1,\"b\"]", json!([1, "b"])),
            ("{}", json!({})),
            (r#"{"a":1,"b":[]}"#, json!({"b": [], "a": 1})),
            (r#"{"a":2,"b":[]}"#, json!({"a": 2, "b": []})),
            (r#"{"a":1,"c":[]}"#, json!({"a": 1, "c": []})),
            (r#"{"a":1}"#, json!({"a": 1})),
        ];
        for (i, (ours, _)) in same.iter().enumerate() {
            for (j, (_, theirs)) in same.iter().enumerate() {
                assert_eq!(equals(&read(ours), theirs), i == j, "{ours} {theirs}");
            }
        }
    }

    #[test]
    fn each_kind_of_value() {
        for (text, boolean, null, kind) in [
            ("null", None, true, JsonType::Null),
            ("true", Some(true), false, JsonType::Boolean),
            ("false", Some(false), false, JsonType::Boolean),
            ("1", None, false, JsonType::Number),
            ("\"a\"", None, false, JsonType::String),
            ("[]", None, false, JsonType::Array),
            ("{}", None, false, JsonType::Object),
        ] {
            let value = read(text);
            let node = &value;
            let found = (Node::<Exact>::as_boolean(&node), Node::<Exact>::is_null(&node));
            assert_eq!(found, (boolean, null), "{text}");
            assert!(Node::<Exact>::json_type(&node) == kind, "{text}");
        }
        let (a, b) = (read("1"), read("1"));
        let identity = |node: &Value<'_>| Node::<Exact>::identity(&node).is_some();
        assert!(identity(&a) && identity(&b));
    }

    #[test]
    fn members_of_an_object() {
        let value = read(r#"{"a":1,"b":2,"c":3}"#);
        let object = Value::as_object(&value).expect("an object");
        assert_eq!(Object::<Exact>::len(&object), 3);
        assert!(Object::<Exact>::get(&object, &"b".into()).is_some());
        assert!(Object::<Exact>::get(&object, &"d".into()).is_none());
    }

    #[test]
    fn numbers_are_converted_where_they_fit() {
        for (text, natural, whole) in [
            ("7", Some(7), Some(7)),
            ("-7", None, Some(-7)),
            ("18446744073709551615", Some(u64::MAX), None),
            ("1.5", None, None),
        ] {
            let number = Number::parse(text).expect("a number");
            assert_eq!((Decimal(&number).as_u64(), Decimal(&number).as_i64()), (natural, whole), "{text}");
            assert_eq!(Decimal(&number).as_str(), text);
        }
        for (text, is_whole, written) in [
            ("7", true, true),
            ("-7", true, true),
            ("7.0", true, false),
            ("7e0", true, false),
            ("7E1", true, false),
            ("7.5", false, false),
        ] {
            let number = Number::parse(text).expect("a number");
            let found = (Decimal(&number).is_integer(), Decimal(&number).is_written_as_integer());
            assert_eq!(found, (is_whole, written), "{text}");
        }
    }
}
