//! Elicitation by an address (2026-07-28), as the gateway itself asks for it: a person opens a page of ours, and the client tries
//! again. What a server asks is no business of this file.

use json::Value;
use serde_json::json;

use crate::envelope::META_CAPABILITIES;
use crate::{Era, Id, Request};

/// The name of the gateway's own question among `inputRequests` and `inputResponses`.
pub const OWN: &str = "dev.tollgate/approval";

/// Whether the client of a modern request says that it can send a person to an address: `elicitation` alone is for forms.
pub fn is_offered(request: &Request<'_>) -> bool {
    let capabilities = request.meta(META_CAPABILITIES).filter(|_| request.era == Era::Modern);
    let url = capabilities.and_then(|capabilities| capabilities.get("elicitation")?.get("url"));
    url.is_some_and(|url| url.as_object().is_some())
}

/// What the client answered to the gateway's own question: whether the page was opened. Nothing if it did not answer.
pub fn answered(request: &Request<'_>) -> Option<bool> {
    let answer = request.param("inputResponses")?.get(OWN)?;
    Some(answer.get("action").and_then(Value::as_str) == Some("accept"))
}

/// Asks the client to send a person to `url`, and to bring `state` back afterwards.
pub fn ask(id: &Id, (url, elicitation): (&str, &str), message: &str, state: &str) -> Vec<u8> {
    let params = json!({ "mode": "url", "message": message, "url": url, "elicitationId": elicitation });
    let result = json!({
        "resultType": "input_required",
        "inputRequests": { OWN: { "method": "elicitation/create", "params": params } },
        "requestState": state,
    });
    json!({ "jsonrpc": "2.0", "id": id.to_json(), "result": result }).to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Message, envelope};

    fn with(params: &str, check: impl Fn(&Request<'_>)) {
        let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#);
        match envelope::read(body.as_bytes()).unwrap() {
            Message::Request(request) => check(&request),
            _ => unreachable!("it has a method and an id"),
        }
    }

    fn modern(capabilities: &str, rest: &str) -> String {
        format!(
            r#"{{"name":"a","_meta":{{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{capabilities}}}{rest}}}"#
        )
    }

    #[test]
    fn only_who_offers_addresses_is_sent_to_one() {
        with(&modern(r#"{"elicitation":{"url":{}}}"#, ""), |request| assert!(is_offered(request)));
        for less in [
            "{}",
            r#"{"elicitation":{}}"#,
            r#"{"elicitation":{"form":{}}}"#,
            r#"{"elicitation":{"url":true}}"#,
        ] {
            with(&modern(less, ""), |request| assert!(!is_offered(request), "{less}"));
        }
        with(r#"{"name":"a"}"#, |request| assert!(!is_offered(request)));
    }

    #[test]
    fn an_answer_says_whether_the_page_was_opened() {
        let answer = |text: &str| format!(r#","inputResponses":{{"dev.tollgate/approval":{text}}}"#);
        let cases = [
            (answer(r#"{"action":"accept"}"#), Some(true)),
            (answer(r#"{"action":"decline"}"#), Some(false)),
            (answer("1"), Some(false)),
            (String::new(), None),
            (r#","inputResponses":{"theirs":{"action":"accept"}}"#.to_owned(), None),
        ];
        for (rest, expected) in cases {
            with(&modern("{}", &rest), |request| assert_eq!(answered(request), expected, "{rest}"));
        }
    }
}
