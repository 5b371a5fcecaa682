//! What a stateless client offers to be asked, and so what an older server is told that its client can do.

use mcp::{META_CAPABILITIES, Request};
use serde_json::{Value, json};

const FORM: u8 = 1;
const URL: u8 = 1 << 1;
const SAMPLING: u8 = 1 << 2;
const TOOLS: u8 = 1 << 3;
const CONTEXT: u8 = 1 << 4;
const ROOTS: u8 = 1 << 5;

/// A set of what a client can be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Offer(u8);

impl Offer {
    /// Nothing at all.
    pub const NONE: Self = Self(0);

    /// Reads the capabilities that a request declares.
    pub fn read(request: &Request<'_>) -> Self {
        let Some(declared) = request.meta(META_CAPABILITIES) else { return Self::NONE };
        let has = |name: &str, part: Option<&str>| {
            let found = declared.get(name).filter(|value| value.as_object().is_some());
            let found = part.map_or(found, |part| found?.get(part));
            found.is_some_and(|value| value.as_object().is_some())
        };
        let mut offer = 0;
        // An empty `elicitation` is one of forms.
        if has("elicitation", Some("form")) || (has("elicitation", None) && !has("elicitation", Some("url")))
        {
            offer |= FORM;
        }
        for (name, part, bit) in [
            ("elicitation", Some("url"), URL),
            ("sampling", None, SAMPLING),
            ("sampling", Some("tools"), TOOLS),
            ("sampling", Some("context"), CONTEXT),
            ("roots", None, ROOTS),
        ] {
            if has(name, part) {
                offer |= bit;
            }
        }
        Self(offer)
    }

    fn has(self, bit: u8) -> bool {
        self.0 & bit != 0
    }

    /// Whether pages may be opened for a person.
    pub fn opens_pages(self) -> bool {
        self.has(URL)
    }

    /// Whether a client of this offer may be asked so.
    pub fn includes(self, method: &str, params: Option<&json::Value<'_>>) -> bool {
        let param = |name: &str| params.and_then(|params| params.get(name));
        match method {
            "elicitation/create" => match param("mode").map(json::Value::as_str) {
                None | Some(Some("form")) => self.has(FORM),
                Some(Some("url")) => self.has(URL),
                Some(_) => false,
            },
            "sampling/createMessage" => {
                let with_tools = param("tools").is_some() || param("toolChoice").is_some();
                self.has(SAMPLING) && (!with_tools || self.has(TOOLS))
            }
            "roots/list" => self.has(ROOTS),
            _ => false,
        }
    }

    /// As the capabilities of an `initialize`.
    pub fn capabilities(self) -> Value {
        let mut all = json!({});
        for (bit, name, part) in [
            (FORM, "elicitation", Some("form")),
            (URL, "elicitation", Some("url")),
            (SAMPLING, "sampling", None),
            (TOOLS, "sampling", Some("tools")),
            (CONTEXT, "sampling", Some("context")),
            (ROOTS, "roots", None),
        ] {
            match part {
                _ if !self.has(bit) => {}
                Some(part) => all[name][part] = json!({}),
                None => all[name] = json!({}),
            }
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use mcp::{Message, envelope};

    use super::*;

    fn offer(capabilities: &str) -> Offer {
        let body = format!(
            "{{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":{{\"_meta\":{{\
             \"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\",\
             \"io.modelcontextprotocol/clientCapabilities\":{capabilities}}}}}}}"
        );
        let Message::Request(request) = envelope::read(body.as_bytes()).unwrap() else { panic!("{body}") };
        Offer::read(&request)
    }

    #[test]
    fn what_is_offered_is_told_the_older_server() {
        for (declared, told) in [
            ("{}", "{}"),
            (r#"{"elicitation":{}}"#, r#"{"elicitation":{"form":{}}}"#),
            (r#"{"elicitation":{"url":{}}}"#, r#"{"elicitation":{"url":{}}}"#),
            (r#"{"sampling":{"tools":{},"own":1},"roots":{}}"#, r#"{"sampling":{"tools":{}},"roots":{}}"#),
            (r#"{"sampling":true,"roots":null,"tasks":{}}"#, "{}"),
        ] {
            let told: Value = serde_json::from_str(told).unwrap();
            assert_eq!(offer(declared).capabilities(), told, "{declared}");
        }
    }

    #[test]
    fn nothing_is_asked_that_was_not_offered() {
        let offer = offer(r#"{"elicitation":{"url":{}},"sampling":{}}"#);
        for (method, params, asked) in [
            ("elicitation/create", r#"{"mode":"url"}"#, true),
            ("elicitation/create", r#"{"mode":"form"}"#, false),
            ("elicitation/create", "{}", false),
            ("elicitation/create", r#"{"mode":7}"#, false),
            ("sampling/createMessage", "{}", true),
            ("sampling/createMessage", r#"{"tools":[]}"#, false),
            ("roots/list", "{}", false),
            ("tasks/get", "{}", false),
        ] {
            let params = json::parse(params.as_bytes(), 8).unwrap();
            assert_eq!(offer.includes(method, Some(&params)), asked, "{method} {params:?}");
        }
    }
}
