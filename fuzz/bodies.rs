//! What is held of any bytes. Run by the fuzz targets without end, and by the tests of `policy` on the corpus and near it.

use policy::{Call, Context, Policy, ToolState, Verdict};

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

/// The judge: a document, a line feed, arguments. Every rule that it names is a place in the document.
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
    let rules: Vec<String> = match policy.judge(&call) {
        Verdict::Allow { charges, shadow } => {
            let charged = charges.iter().map(|charge| charge.limit.rule.to_string());
            charged.chain(shadow.map(|shadow| shadow.refusal.rule.to_string())).collect()
        }
        Verdict::Deny(refusal) | Verdict::Hide(refusal) | Verdict::Pending { refusal, .. } => {
            vec![refusal.rule.to_string()]
        }
    };
    for rule in rules {
        assert!(rule.starts_with('(') || written.pointer(&rule).is_some(), "{rule}");
    }
}
