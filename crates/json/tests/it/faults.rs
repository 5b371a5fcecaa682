//! One test per kind of refusal: what, where, and in which value.

use json::{Kind, line_column, parse, parse_all};

/// Kind, byte, pointer.
fn refusal(text: impl AsRef<[u8]>) -> (Kind, usize, String) {
    let error = parse(text.as_ref(), 64).expect_err("refused");
    (error.kind, error.offset, error.pointer)
}

#[test]
fn a_byte_order_mark() {
    assert_eq!(refusal("\u{feff}{}"), (Kind::ByteOrderMark, 0, String::new()));
}

#[test]
fn bytes_that_are_not_utf8() {
    assert_eq!(refusal(b"{\"a\":\"\xff\"}"), (Kind::NotUtf8, 6, String::new()));
    assert_eq!(refusal(b"\"\xed\xa0\x80\""), (Kind::NotUtf8, 1, String::new()), "a surrogate in UTF-8");
}

#[test]
fn duplicate_keys_at_any_depth_and_in_any_spelling() {
    assert_eq!(refusal(r#"{"a":1,"a":1}"#), (Kind::DuplicateKey, 7, "/a".into()));
    assert_eq!(refusal(r#"{"a":1,"\u0061":1}"#), (Kind::DuplicateKey, 7, "/a".into()));
    assert_eq!(refusal(r#"[{"x":{"~/":1,"~/":2}}]"#), (Kind::DuplicateKey, 14, "/0/x/~0~1".into()));
    assert!(parse(r#"{"a":{"a":1},"A":2,"a ":3}"#.as_bytes(), 64).is_ok());
}

#[test]
fn a_duplicate_among_many_keys() {
    let keys: Vec<String> = (0..1000).map(|i| format!("\"k{i}\":0")).collect();
    let text = format!("{{{},\"k7\":1}}", keys.join(","));
    assert_eq!(refusal(&text).2, "/k7");
}

#[test]
fn lone_surrogates() {
    for text in [r#"["\ud800"]"#, r#"["\udc00"]"#, r#"["\ud800\ud800"]"#, r#"["\ud800x"]"#, r#"["\ud800\n"]"#]
    {
        assert_eq!(refusal(text), (Kind::LoneSurrogate, 2, "/0".into()), "{text}");
    }
    assert_eq!(parse(r#""\ud83d\ude00""#.as_bytes(), 1).expect("a pair").as_str(), Some("😀"));
}

#[test]
fn numbers_out_of_range() {
    assert_eq!(refusal("[1e309]"), (Kind::NumberRange, 1, "/0".into()));
    assert_eq!(refusal(format!("[0,{}]", "1".repeat(65))), (Kind::NumberRange, 3, "/1".into()));
}

#[test]
fn nesting() {
    let nested = |n: usize| "[".repeat(n) + &"]".repeat(n);
    assert!(parse(nested(64).as_bytes(), 64).is_ok());
    assert_eq!(refusal(nested(65)).0, Kind::TooDeep(64));
    assert_eq!(refusal("{\"a\":".repeat(65)).0, Kind::TooDeep(64));
    let whatever_the_caller_says = parse(nested(1_000_000).as_bytes(), usize::MAX).expect_err("refused").kind;
    assert_eq!(whatever_the_caller_says, Kind::TooDeep(json::MAX_DEPTH));
}

#[test]
fn text_behind_the_value() {
    assert_eq!(refusal("{} {}"), (Kind::TrailingData, 3, String::new()));
    assert_eq!(refusal("1\0"), (Kind::TrailingData, 1, String::new()));
    assert_eq!(refusal("01"), (Kind::Unexpected("a digit, and no leading zero"), 1, String::new()));
}

#[test]
fn texts_that_end_too_early() {
    let whole = r#"{"a":[1,true,"\u00e9\n"],"b":{"c":null}}"#;
    for end in 0..whole.len() {
        assert_eq!(refusal(&whole[..end]).0, Kind::UnexpectedEnd, "{}", &whole[..end]);
    }
}

#[test]
fn characters_that_cannot_stand_there() {
    for text in [
        "{'a':1}",
        "{a:1}",
        "[1,]",
        "{\"a\":1,}",
        "[1 2]",
        "{\"a\" 1}",
        "nul",
        "True",
        "[,1]",
        "//x\n1",
        "NaN",
        "+1",
        "\u{a0}1",
    ] {
        let kind = refusal(text).0;
        assert!(matches!(kind, Kind::Unexpected(_) | Kind::UnexpectedEnd), "{text}: {kind:?}");
    }
    assert_eq!(refusal("[\"a\tb\"]"), (Kind::ControlCharacter, 3, "/0".into()));
    assert_eq!(refusal(r#"["\x41"]"#), (Kind::BadEscape, 2, "/0".into()));
    assert_eq!(refusal(r#"["\u00g0"]"#), (Kind::BadEscape, 2, "/0".into()));
}

#[test]
fn all_that_can_be_stepped_over_is_collected() {
    let text = br#"{"a":1e999,"b":["\udc00",{"c":1,"c":2}],"a":3}"#;
    let (value, found) = parse_all(text, 64).expect("nothing fatal");
    let found: Vec<_> = found.iter().map(|error| (error.kind, error.pointer.as_str())).collect();
    assert_eq!(
        found,
        [
            (Kind::NumberRange, "/a"),
            (Kind::LoneSurrogate, "/b/0"),
            (Kind::DuplicateKey, "/b/1/c"),
            (Kind::DuplicateKey, "/a"),
        ]
    );
    assert!(value.get("b").is_some());
    assert_eq!(parse_all(b"{\"a\":1e999,", 64).expect_err("fatal").kind, Kind::UnexpectedEnd);
    assert_eq!(parse(text, 64).expect_err("the first ends it").kind, Kind::NumberRange);
}

#[test]
fn what_is_collected_is_bounded() {
    let text = format!("{{\"{}\":[{}0]}}", "k".repeat(100_000), "1e999,".repeat(20_000));
    let (_, found) = parse_all(text.as_bytes(), 64).expect("nothing fatal");
    let size: usize = found.iter().map(|error| error.pointer.len()).sum();
    assert!(!found.is_empty() && size < 2_000_000, "{size}");
}

#[test]
fn lines_and_columns_count_characters() {
    let text = "{\n  \"é\": x".as_bytes();
    let at = |offset| {
        let place = line_column(text, offset);
        (place.line, place.column)
    };
    assert_eq!((at(0), at(1), at(2)), ((1, 1), (1, 2), (2, 1)));
    assert_eq!(at(text.len() - 1), (2, 8));
    assert_eq!(at(usize::MAX), (2, 9));
}

#[test]
fn an_error_says_where() {
    let error = parse(br#"{"a":[1e999]}"#, 64).expect_err("refused");
    assert!(error.to_string().ends_with("(byte 6, at /a/0)"), "{error}");
}
