//! Held against `serde_json` over random texts, and against the clock over hostile ones.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::Value as Reference;

/// Values whose numbers `f64` holds exactly, so that the reference reads them exactly too.
fn values() -> impl Strategy<Value = Reference> {
    let leaf = prop_oneof![
        Just(Reference::Null),
        any::<bool>().prop_map(Reference::from),
        any::<i32>().prop_map(Reference::from),
        any::<i32>().prop_map(|eighths| Reference::from(f64::from(eighths) / 8.0)),
        any::<String>().prop_map(Reference::from),
    ];
    leaf.prop_recursive(5, 60, 12, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..12).prop_map(Reference::from),
            prop::collection::btree_map(any::<String>(), inner, 0..12)
                .prop_map(|map| Reference::Object(map.into_iter().collect())),
        ]
    })
}

/// Something near JSON: mostly its own characters, so that the reader gets further than the first byte.
fn near_json() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "{", "}", "[", "]", ",", ":", "\"", "\"a\"", "\"a\":", "1", "-", "0", ".5", "e9", "E-3", "true",
        "false", "null", " ", "\n", "\\", "\\u0041", "\\ud83d", "\\ude00", "é", "\u{0}", "1e309",
    ]);
    let bytes = prop_oneof![9 => pieces.prop_map(|piece| piece.as_bytes().to_vec()), 1 => prop::collection::vec(any::<u8>(), 1..3)];
    prop::collection::vec(bytes, 0..24).prop_map(|pieces| pieces.concat())
}

fn same(ours: &json::Value<'_>, reference: &Reference) -> bool {
    match (&ours.node, reference) {
        (json::Node::Null, Reference::Null) => true,
        (json::Node::Bool(a), Reference::Bool(b)) => a == b,
        (json::Node::Number(a), Reference::Number(b)) => a.text().parse::<f64>().ok() == b.as_f64(),
        (json::Node::String(a), Reference::String(b)) => a == b,
        (json::Node::Array(a), Reference::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (json::Node::Object(a), Reference::Object(b)) => {
            a.len() == b.len()
                && a.members()
                    .iter()
                    .all(|member| b.get(member.key.as_ref()).is_some_and(|b| same(&member.value, b)))
        }
        _ => false,
    }
}

proptest! {
    #[test]
    fn reads_what_serde_json_prints(value in values()) {
        for text in [value.to_string(), serde_json::to_string_pretty(&value).expect("prints")] {
            let ours = json::parse(text.as_bytes(), 64).expect("reads");
            prop_assert!(same(&ours, &value));
            let reread: Reference = serde_json::from_str(&ours.canonical()).expect("canonical text is JSON");
            prop_assert!(same(&ours, &reread));
        }
    }

    #[test]
    fn accepts_nothing_that_serde_json_refuses(text in near_json()) {
        if json::parse(&text, 64).is_ok() {
            prop_assert!(serde_json::from_slice::<Reference>(&text).is_ok());
        }
    }

    #[test]
    fn refuses_what_serde_json_accepts_for_a_named_reason_only(text in near_json()) {
        if serde_json::from_slice::<Reference>(&text).is_ok() && let Err(error) = json::parse(&text, 64) {
            use json::Kind::{DuplicateKey, LoneSurrogate, NumberRange};
            prop_assert!(matches!(error.kind, DuplicateKey | LoneSurrogate | NumberRange), "{error}");
        }
    }

    #[test]
    fn collecting_finds_nothing_exactly_where_reading_succeeds(text in near_json()) {
        let collected = json::parse_all(&text, 64).is_ok_and(|(_, found)| found.is_empty());
        prop_assert_eq!(collected, json::parse(&text, 64).is_ok());
    }

    #[test]
    fn any_bytes_at_all(text in prop::collection::vec(any::<u8>(), 0..200), depth in 0_usize..200) {
        if let Err(error) = json::parse(&text, depth) {
            prop_assert!(error.offset <= text.len());
            json::line_column(&text, error.offset);
        }
    }

    #[test]
    fn equal_values_and_only_they_have_one_canonical_text(a in values(), b in values()) {
        let (a, b) = (a.to_string(), b.to_string());
        let (a, b) = (json::parse(a.as_bytes(), 64).expect("reads"), json::parse(b.as_bytes(), 64).expect("reads"));
        prop_assert!(a.equals(&a.clone().into_owned()));
        prop_assert_eq!(a.equals(&b), a.canonical() == b.canonical());
        prop_assert_eq!(a.compare(&b), b.compare(&a).reverse());
    }

    #[test]
    fn values_are_totally_ordered(values in prop::collection::vec(values(), 3)) {
        let texts: Vec<String> = values.iter().map(ToString::to_string).collect();
        let values: Vec<_> = texts.iter().map(|text| json::parse(text.as_bytes(), 64).expect("reads")).collect();
        let mut sorted: Vec<_> = values.iter().collect();
        sorted.sort_by(|a, b| a.compare(b));
        for (i, a) in sorted.iter().enumerate() {
            for b in &sorted[i..] {
                prop_assert!(a.compare(b).is_le());
            }
        }
    }

    #[test]
    fn numbers_compare_as_scaled_integers(a in any::<i64>(), b in any::<i64>(), places in 0_u32..12, zeros in 0_usize..4) {
        let text = |n: i64| {
            let digits = format!("{:0width$}", n.unsigned_abs(), width = places as usize + 1);
            let (whole, fraction) = digits.split_at(digits.len() - places as usize);
            let sign = if n < 0 { "-" } else { "" };
            let dot = if fraction.is_empty() && zeros == 0 { "" } else { "." };
            format!("{sign}{whole}{dot}{fraction}{}", "0".repeat(zeros))
        };
        let (left, right) = (text(a), format!("{b}e-{places}"));
        let (left, right) = (json::Number::parse(&left).expect("a number"), json::Number::parse(&right).expect("a number"));
        prop_assert_eq!(left.compare(&right), a.cmp(&b));
    }

    #[test]
    fn millionths_are_rounded_outwards(n in 0_u64..1_000_000_000_000, places in 0_u32..12) {
        let text = format!("{n}e-{places}");
        let number = json::Number::parse(&text).expect("a number");
        let (scaled, one) = (u128::from(n) * 1_000_000, 10_u128.pow(places));
        prop_assert_eq!(number.to_micros_ceil().ok().map(u128::from), Some(scaled.div_ceil(one)));
        prop_assert_eq!(number.to_micros_floor().ok().map(u128::from), Some(scaled / one));
    }
}

/// Texts of some megabytes that would take a quadratic reader hours.
#[test]
fn hostile_texts_take_no_longer_than_their_length_asks() {
    let prefix = "k".repeat(30);
    let keys: Vec<String> = (0..100_000).map(|i| format!("\"{prefix}{i}\":0")).collect();
    let reversed: Vec<String> = (0..100_000).rev().map(|i| format!("\"{i}\":0")).collect();
    let texts = [
        format!("{{{}}}", keys.join(",")),
        format!("{{{}}}", reversed.join(",")),
        format!("[{}0]", "0,".repeat(1_000_000)),
        format!("\"{}\"", "\\ud83d\\ude00".repeat(200_000)),
        format!("{}{}", "[".repeat(2_000_000), "]".repeat(2_000_000)),
        format!("\"{}", "\\\\".repeat(1_000_000)),
        "1".repeat(4_000_000),
        format!("1e{}", "0".repeat(4_000_000)),
        " ".repeat(4_000_000),
        format!("{{{}}}", "\"a\":0,".repeat(300_000)),
    ];
    for text in texts {
        let begin = Instant::now();
        drop(json::parse(text.as_bytes(), 64));
        drop(json::parse_all(text.as_bytes(), 64));
        let took = begin.elapsed();
        assert!(took < Duration::from_secs(20), "{} bytes took {took:?}: {}", text.len(), &text[..40]);
    }
}
