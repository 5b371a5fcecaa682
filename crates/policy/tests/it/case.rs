//! What most tests do: read a document, judge a call, and say what came out in one line.

use policy::{ArgumentSchema, Call, Context, Policy, ToolState, Verdict};

/// Reads a document that has no problems.
pub fn read(document: &str) -> Policy {
    Policy::read(document.as_bytes()).unwrap_or_else(|problems| panic!("{document}\n{problems:#?}"))
}

/// A context with every name in it.
pub const CONTEXT: Context<'static> = Context {
    grant_label: Some("ci-runner"),
    grant_identity: Some("ci@acme.test"),
    client_name: Some("agent"),
    client_version: Some("1.2"),
    server_name: Some("Flowforge"),
};

/// Judges a call with these arguments (JSON text, or nothing for none).
pub fn verdict(policy: &Policy, tool: &str, arguments: &str, schema: Option<&ArgumentSchema>) -> Verdict {
    let value =
        (!arguments.is_empty()).then(|| json::parse(arguments.as_bytes(), 64).expect("arguments are JSON"));
    let state = ToolState { changed: false, schema };
    policy.judge(&Call { tool, arguments: value.as_ref(), context: CONTEXT, state })
}

/// `allow`, `allow /tools/a/limits/0=1000000`, `deny /tools/a/deny_if/0`, with `| shadow deny (hidden)` behind it.
pub fn line(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Allow { charges, shadow } => {
            let mut words = vec!["allow".to_owned()];
            for charge in charges {
                let own = if charge.shadow { "~" } else { "" };
                words.push(format!("{own}{}={}", charge.limit.rule, charge.amount_micros));
            }
            words.extend(
                shadow
                    .iter()
                    .map(|shadow| format!("| shadow {} {}", shadow.outcome.as_str(), shadow.refusal.rule)),
            );
            words.join(" ")
        }
        Verdict::Deny(refusal) => format!("deny {}", refusal.rule),
        Verdict::Hide(refusal) => format!("hide {}", refusal.rule),
        Verdict::Pending { refusal, .. } => format!("pending {}", refusal.rule),
    }
}

/// What becomes of a call under a document.
pub fn judge(document: &str, tool: &str, arguments: &str) -> String {
    line(&verdict(&read(document), tool, arguments, None))
}

/// What becomes of a call of `a` under an entry for it, default deny.
pub fn judge_entry(entry: &str, arguments: &str) -> String {
    judge(&format!(r#"{{"version":"1","default":"deny","tools":{{"a":{entry}}}}}"#), "a", arguments)
}
