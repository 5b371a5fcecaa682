//! What is held of any bytes. Run by the fuzz targets without end, and by the tests of `policy` on the corpus and near it.

use policy::{Call, Context, MAX_DOCUMENT, Policy, Refusal, ToolState, Verdict};

/// The parser: what it reads it reads the same again from the canonical text, and collecting finds nothing in it.
pub fn json(data: &[u8]) {
    let Ok(value) = json::parse(data, 64) else { return };
    let canonical = value.canonical();
    let again = json::parse(canonical.as_bytes(), 64).expect("canonical text is JSON");
    assert!(value.equals(&again));
    assert_eq!(again.canonical(), canonical);
    assert!(json::parse_all(data, 64).is_ok_and(|(_, found)| found.is_empty()));
}

/// The reader: what it takes, it takes again as the canonical form, which is then its own.
pub fn reader(data: &[u8]) {
    let Ok(policy) = Policy::read(data) else { return };
    policy.warnings(&[]);
    let canonical = policy.canonical();
    if canonical.len() > MAX_DOCUMENT {
        return;
    }
    let again = Policy::read(canonical.as_bytes()).expect("the canonical form is a document");
    assert_eq!(again.canonical(), canonical);
}

/// Paths: whatever is one leads somewhere, in any arguments.
pub fn path(data: &[u8]) {
    let Ok(path) = std::str::from_utf8(data) else { return };
    let path = json::Value::string(path).canonical();
    let document = format!(
        r#"{{"version":"1","default":"deny","tools":{{"a":{{"require":[{{"path":{path},"op":"exists","value":true}}]}}}}}}"#
    );
    let arguments = br#"{"a":{"b":[1,{"c":null},[]]},"x.y":"text","":0}"#;
    judge(&[document.as_bytes(), b"\n", arguments].concat());
}

/// The judge: a document, a line feed, arguments. Every rule and condition that it names is a place in the document, and the
/// canonical form judges the same.
pub fn judge(data: &[u8]) {
    let Some(end) = data.iter().position(|byte| *byte == b'\n') else { return };
    let (document, arguments) = (&data[..end], &data[end + 1..]);
    let (Ok(policy), Ok(written), Ok(arguments)) =
        (Policy::read(document), json::parse(document, 64), json::parse(arguments, 64))
    else {
        return;
    };
    let context = Context { grant_label: Some("ci"), ..Context::default() };
    let call = Call { tool: "a", arguments: Some(&arguments), context, state: ToolState::default() };
    let verdict = policy.judge(&call);
    let mut places = Vec::new();
    match &verdict {
        Verdict::Allow { charges, shadow } => {
            places.extend(charges.iter().map(|charge| charge.limit.rule.to_string()));
            places.extend(shadow.iter().flat_map(|shadow| named(&shadow.refusal)));
        }
        Verdict::Deny(refusal) | Verdict::Hide(refusal) | Verdict::Pending { refusal, .. } => {
            places = named(refusal);
        }
    }
    for place in places {
        assert!(place.starts_with('(') || written.pointer(&place).is_some(), "{place}");
    }
    let canonical = policy.canonical();
    if let Ok(again) = Policy::read(canonical.as_bytes()) {
        assert_eq!(said(&verdict), said(&again.judge(&call)), "{canonical}");
    }
}

/// The rule of a refusal, and the conditions that decided.
fn named(refusal: &Refusal) -> Vec<String> {
    let rule = refusal.rule.to_string();
    std::iter::once(rule).chain(refusal.conditions.iter().cloned()).collect()
}

/// A verdict without places, which shorthand has elsewhere than what it stands for.
fn said(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Allow { charges, shadow } => {
            let charged = charges
                .iter()
                .map(|charge| (&charge.limit.counter, charge.amount_micros, &charge.key, charge.shadow));
            let shadow = shadow.as_ref().map(|shadow| (shadow.outcome, &shadow.refusal.message));
            format!("allow {:?} {shadow:?}", charged.collect::<Vec<_>>())
        }
        Verdict::Deny(refusal) => format!("deny {}", refusal.message),
        Verdict::Hide(refusal) => format!("hide {}", refusal.message),
        Verdict::Pending { refusal, expires_in } => format!("pending {} {expires_in:?}", refusal.message),
    }
}
