//! What can be asked of a value.

use json::{Node, Value, parse};

fn read(text: &str) -> Value<'_> {
    parse(text.as_bytes(), 64).expect("reads")
}

#[test]
fn every_value_knows_its_bytes() {
    let text = r#" { "a" : [ 1.50 , "x\n" ] } "#;
    let value = read(text);
    let bytes =
        |value: &Value<'_>| std::str::from_utf8(value.span.of(text.as_bytes())).expect("UTF-8").to_owned();
    assert_eq!(bytes(&value), text.trim());
    let member = value.as_object().and_then(|object| object.member("a")).expect("a member");
    assert_eq!(member.key_span.of(text.as_bytes()), b"\"a\"");
    assert_eq!(bytes(&member.value), r#"[ 1.50 , "x\n" ]"#);
    assert_eq!(bytes(value.pointer("/a/0").expect("an element")), "1.50");
    assert_eq!(value.span.of(b"short"), b"");
}

#[test]
fn strings_without_escapes_are_borrowed() {
    for (text, borrowed) in [(r#""plain é""#, true), (r#""a\tb""#, false)] {
        let Node::String(string) = read(text).node else { panic!("a string") };
        assert_eq!(matches!(string, std::borrow::Cow::Borrowed(_)), borrowed, "{text}");
    }
}

#[test]
fn members_keep_their_order() {
    let text = r#"{"z":0,"b":0,"y":0,"a":0,"x":0,"c":0,"w":0,"d":0,"v":0,"e":0}"#;
    let value = read(text);
    let object = value.as_object().expect("an object");
    let keys: String = object.members().iter().map(|member| member.key.as_ref()).collect();
    assert_eq!(keys, "zbyaxcwdve");
    assert_eq!((object.len(), object.is_empty()), (10, false));
    for member in object.members() {
        assert_eq!(object.get(&member.key).map(|value| value.span), Some(member.value.span));
    }
    assert!(object.get("f").is_none() && object.get("").is_none());
}

#[test]
fn pointers_of_rfc_6901() {
    // The examples of its section 5.
    let value =
        read(r#"{"foo":["bar","baz"],"":0,"a/b":1,"c%d":2,"e^f":3,"g|h":4,"i\\j":5,"k\"l":6," ":7,"m~n":8}"#);
    assert!(value.pointer("").is_some_and(|whole| whole.as_object().is_some()));
    assert_eq!(value.pointer("/foo/0").and_then(Value::as_str), Some("bar"));
    for (pointer, number) in [
        ("/", 0),
        ("/a~1b", 1),
        ("/c%d", 2),
        ("/e^f", 3),
        ("/g|h", 4),
        ("/i\\j", 5),
        ("/k\"l", 6),
        ("/ ", 7),
        ("/m~0n", 8),
    ] {
        let found = value.pointer(pointer).and_then(Value::as_number).and_then(json::Number::to_u64);
        assert_eq!(found, Some(number), "{pointer}");
    }
    for missing in ["foo", "/foo/2", "/foo/-", "/foo/01", "/foo/+1", "/foo/0/x", "/nope"] {
        assert!(value.pointer(missing).is_none(), "{missing}");
    }
}

#[test]
fn equality_is_deep_and_typed() {
    for (a, b) in [
        ("1", "10e-1"),
        (r#"{"a":[1,{"b":2}],"c":null}"#, r#"{"c":null,"a":[1.0,{"b":0.2e1}]}"#),
        (r#""\u0041""#, r#""A""#),
        ("[]", "[ ]"),
    ] {
        assert!(read(a).equals(&read(b)) && read(b).equals(&read(a)), "{a} {b}");
    }
    for (a, b) in [
        ("1", r#""1""#),
        ("1", "true"),
        ("0", "false"),
        ("null", "0"),
        ("null", "false"),
        ("[]", "{}"),
        ("[1,2]", "[2,1]"),
        ("[1]", "[1,1]"),
        (r#"{"a":1}"#, r#"{"a":1,"b":1}"#),
        (r#"{"a":1}"#, r#"{"b":1}"#),
        ("true", "false"),
    ] {
        assert!(!read(a).equals(&read(b)) && !read(b).equals(&read(a)), "{a} {b}");
    }
}

#[test]
fn large_objects_compare_whatever_their_order() {
    let pairs = |keys: &mut dyn Iterator<Item = u32>| {
        let pairs: Vec<String> = keys.map(|i| format!("\"{i}\":{i}")).collect();
        format!("{{{}}}", pairs.join(","))
    };
    let (up, down) = (pairs(&mut (0..50)), pairs(&mut (0..50).rev()));
    assert!(read(&up).equals(&read(&down)));
    assert!(!read(&up).equals(&read(&pairs(&mut (1..51)))));
    assert!(!read(&up).equals(&read(&up.replace("\"7\":7", "\"7\":8"))));
}

#[test]
fn an_owned_value_is_the_same() {
    let text = r#"{"a":[1,"x\ty",true,null],"b":{"c":1.50}}"#.to_owned();
    let value = read(&text);
    let owned: Value<'static> = value.clone().into_owned();
    assert!(owned.equals(&value));
    assert_eq!(owned.span, value.span);
}

#[test]
fn canonical_text() {
    let text = r#" {"b" : [1.0, -0, "\u00e9\u0001\n\"\\\/"], "a\u0000" : {"y":true , "x":null}} "#;
    assert_eq!(
        read(text).canonical(),
        "{\"a\\u0000\":{\"x\":null,\"y\":true},\"b\":[1,0,\"é\\u0001\\n\\\"\\\\/\"]}"
    );
}
