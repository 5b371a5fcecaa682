//! Requests of 2026-07-28 for a server of the older revisions, and its answers for a client of the newer. What can't be
//! translated honestly (subscriptions, tasks) is neither offered nor passed.

use bytes::Bytes;
use mcp::{Edits, Id, META_VERSION, Request, Version, code, reply};
use serde_json::{Value, json};

use crate::offer::Offer;
use crate::rounds;

/// What every key begins with that the newer revision reserves in `_meta`.
const RESERVED: &str = "io.modelcontextprotocol/";

/// What a method's answer needs, beside its `resultType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Nothing.
    Plain,
    /// How long it may be kept: not at all.
    Cacheable,
}

/// How the answer to a method is translated; nothing for a method that is not passed.
pub(crate) fn passes(method: &str) -> Option<Answer> {
    match method {
        "tools/call" | "prompts/get" | "completion/complete" => Some(Answer::Plain),
        "tools/list" | "prompts/list" | "resources/list" | "resources/templates/list" | "resources/read" => {
            Some(Answer::Cacheable)
        }
        _ => None,
    }
}

/// The line that puts a request to the server, under the id `key`. `translated`: without what only the newer revision has.
pub(crate) fn line(body: &[u8], request: &Request<'_>, key: &Id, translated: bool) -> Bytes {
    let mut edits = Edits::default();
    let id = key.to_json().to_string();
    // The message was read by `mcp::envelope`, so it has one id, at its top.
    if let Ok(message) = json::parse(body, json::MAX_DEPTH)
        && let Some(given) = message.get("id")
    {
        edits.replace(given.span, id.clone());
    }
    if let Some(token) = request.meta("progressToken") {
        edits.replace(token.span, id);
    }
    if let Some(meta) = request.param("_meta").filter(|_| translated) {
        edits.retain_members(meta, |name| !name.starts_with(RESERVED));
    }
    let text = edits.apply(body).unwrap_or_else(|| body.to_vec());
    let text = if translated { without_answers(text) } else { text };
    single_line(text)
}

/// A request without what it answers: an older server knows of no rounds.
fn without_answers(text: Vec<u8>) -> Vec<u8> {
    let mut edits = Edits::default();
    if let Ok(message) = json::parse(&text, json::MAX_DEPTH)
        && let Some(params) = message.get("params")
    {
        edits.retain_members(params, |name| name != "inputResponses");
    }
    edits.apply(&text).unwrap_or(text)
}

/// A message as one line. Outside of texts, which can't hold them raw, line breaks are blanks.
pub(crate) fn single_line(mut text: Vec<u8>) -> Bytes {
    for byte in &mut text {
        if matches!(byte, b'\n' | b'\r') {
            *byte = b' ';
        }
    }
    text.push(b'\n');
    text.into()
}

/// The server's answer, for a client of the newer revision.
pub(crate) fn answer(line: &Bytes, kind: Answer) -> Bytes {
    let Ok(message) = json::parse(line, json::MAX_DEPTH) else { return line.clone() };
    let mut edits = Edits::default();
    if let Some(result) = message.get("result") {
        edits.set(result, "resultType", "\"complete\"");
        if kind == Answer::Cacheable {
            edits.set(result, "ttlMs", "0");
            edits.set(result, "cacheScope", "\"private\"");
        }
        for tool in result.get("tools").and_then(json::Value::as_array).unwrap_or_default() {
            edits.retain_members(tool, |name| name != "execution");
        }
    }
    // "Resource not found" of the older revisions; the newer has no code of its own for it.
    if let Some(code) = message.get("error").and_then(|error| error.get("code"))
        && code.as_number().is_some_and(|code| code.text() == "-32002")
    {
        edits.replace(code.span, "-32602");
    }
    edits.apply(line).map_or_else(|| line.clone(), Bytes::from)
}

/// The answer in the place of an error that wants pages to be opened first, which the newer revision does not have: it asks
/// the client to open them and to call again, if that offers to.
pub(crate) fn pages(line: &Bytes, id: &Id, offer: Offer) -> Option<Bytes> {
    let message = json::parse(line, json::MAX_DEPTH).ok()?;
    let error = message.get("error")?;
    let given = error.get("code")?.as_number()?;
    if given.text() != code::URL_ELICITATION_REQUIRED.to_string() {
        return None;
    }
    let listed = error.get("data").and_then(|data| data.get("elicitations"));
    let requests: Vec<_> = listed
        .and_then(json::Value::as_array)
        .unwrap_or_default()
        .iter()
        .enumerate()
        .filter_map(|(place, page)| {
            let text = |name: &str| page.get(name).and_then(json::Value::as_str);
            let params = json!({ "mode": "url", "url": text("url")?, "message": text("message")? });
            let request = json!({ "method": "elicitation/create", "params": params });
            Some(format!("\"page-{}\":{request}", place + 1))
        })
        .collect();
    if offer.opens_pages() && !requests.is_empty() {
        return Some(rounds::asking(id, &requests.join(","), None));
    }
    let what = "the server wants the person to open a page first, which this client does not offer";
    Some(reply::error(Some(id), code::INVALID_PARAMS, what, None).into())
}

/// Whether a notification tells of progress, which alone is somebody's in particular.
pub(crate) fn is_progress(line: &[u8]) -> bool {
    let method = json::parse(line, json::MAX_DEPTH).ok();
    method.is_some_and(|message| {
        message.get("method").and_then(json::Value::as_str) == Some("notifications/progress")
    })
}

/// What a server of the older revisions says of itself, from its answer to `initialize`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Introduction {
    capabilities: Value,
    info: Value,
    instructions: Option<Value>,
}

impl Introduction {
    /// Reads the `result` of an `initialize`.
    pub fn read(result: &Value) -> Self {
        let offered = |name: &str| result["capabilities"].get(name).is_some();
        // Changes of lists and resources are told to sessions alone, so they are not offered.
        let capabilities = ["tools", "prompts", "resources", "completions"]
            .into_iter()
            .filter(|name| offered(name))
            .map(|name| (name.to_owned(), json!({})))
            .collect();
        Self {
            capabilities: Value::Object(capabilities),
            info: result["serverInfo"].clone(),
            instructions: result.get("instructions").cloned(),
        }
    }

    /// The answer to a `server/discover`.
    pub fn discovered(&self, id: &Id) -> Bytes {
        let mut result = json!({
            "resultType": "complete",
            "supportedVersions": [Version::V2026_07_28.as_str()],
            "capabilities": self.capabilities,
            "ttlMs": 0,
            "cacheScope": "private",
            "_meta": { "io.modelcontextprotocol/serverInfo": self.info },
        });
        if let Some(instructions) = &self.instructions {
            result["instructions"] = instructions.clone();
        }
        json!({ "jsonrpc": "2.0", "id": id.to_json(), "result": result }).to_string().into()
    }
}

/// A `server/discover` of our own: whether the server speaks the newer revision.
pub(crate) fn discover(key: &Id) -> Bytes {
    let meta = json!({
        META_VERSION: Version::V2026_07_28.as_str(),
        mcp::META_CLIENT: us(),
        mcp::META_CAPABILITIES: {},
    });
    own(key, "server/discover", &json!({ "_meta": meta }))
}

/// An `initialize` of our own, for clients that offer this.
pub(crate) fn initialize(key: &Id, offer: Offer) -> Bytes {
    let (version, offered) = (Version::NEWEST_LEGACY.as_str(), offer.capabilities());
    own(
        key,
        "initialize",
        &json!({ "protocolVersion": version, "capabilities": offered, "clientInfo": us() }),
    )
}

/// What follows an `initialize`.
pub(crate) const INITIALIZED: Bytes =
    Bytes::from_static(b"{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}\n");

fn us() -> Value {
    json!({ "name": "tollgate-bridge", "version": env!("CARGO_PKG_VERSION") })
}

fn own(key: &Id, method: &str, params: &Value) -> Bytes {
    let message = json!({ "jsonrpc": "2.0", "id": key.to_json(), "method": method, "params": params });
    single_line(message.to_string().into_bytes())
}

#[cfg(test)]
mod tests {
    use mcp::{Message, envelope};

    use super::*;

    fn lined(body: &str, translated: bool) -> String {
        let Message::Request(request) = envelope::read(body.as_bytes()).unwrap() else { panic!("{body}") };
        String::from_utf8(line(body.as_bytes(), &request, &Id::Number(7), translated).to_vec()).unwrap()
    }

    const CALL: &str = "{\"jsonrpc\":\"2.0\",\n\"id\":\"a\",\"method\":\"tools/call\",\"params\":{\"name\":\"x\",\
        \"arguments\":{\"n\":1.50,\"id\":\"a\"},\"_meta\":{\"progressToken\":\"p\",\"own\":1,\
        \"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\",\
        \"io.modelcontextprotocol/clientCapabilities\":{}}}}";

    #[test]
    fn a_request_gets_another_id_and_stays_itself() {
        let line = lined(CALL, false);
        assert!(line.contains("\"id\":7,") && line.contains("\"progressToken\":7"), "{line}");
        assert!(line.contains("{\"n\":1.50,\"id\":\"a\"}"), "arguments are nobody's to change: {line}");
        assert!(line.contains("io.modelcontextprotocol/protocolVersion"), "{line}");
        assert_eq!(line.matches('\n').count(), 1, "one line: {line}");
    }

    #[test]
    fn an_older_server_is_spared_what_it_does_not_know() {
        let line = lined(CALL, true);
        assert!(line.ends_with("\"_meta\":{\"progressToken\":7,\"own\":1}}}\n"), "{line}");
    }

    #[test]
    fn an_answer_is_completed() {
        let line = Bytes::from_static(
            b"{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"tools\":[{\"name\":\"x\",\"execution\":{}}]}}",
        );
        assert_eq!(
            answer(&line, Answer::Cacheable),
            "{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"tools\":[{\"name\":\"x\"}],\"resultType\":\"complete\",\"ttlMs\":0,\"cacheScope\":\"private\"}}"
        );
        let error = Bytes::from_static(b"{\"id\":7,\"error\":{\"code\":-32002,\"message\":\"no\"}}");
        assert_eq!(
            answer(&error, Answer::Plain),
            "{\"id\":7,\"error\":{\"code\":-32602,\"message\":\"no\"}}"
        );
    }

    #[test]
    fn what_an_older_server_asks_by_an_error_is_asked_anew() {
        let line = Bytes::from_static(
            br#"{"id":7,"error":{"code":-32042,"message":"m","data":{"elicitations":[{"mode":"url","elicitationId":"1","url":"https://x.example","message":"go"}]}}}"#,
        );
        let asked: Value =
            serde_json::from_slice(&pages(&line, &Id::Number(7), offer("url")).unwrap()).unwrap();
        let params = json!({ "mode": "url", "url": "https://x.example", "message": "go" });
        let request = json!({ "method": "elicitation/create", "params": params });
        let result = json!({ "resultType": "input_required", "inputRequests": { "page-1": request } });
        assert_eq!(asked["result"], result);
        let refused: Value =
            serde_json::from_slice(&pages(&line, &Id::Number(7), Offer::NONE).unwrap()).unwrap();
        assert_eq!(refused["error"]["code"], -32602);
        assert_eq!(
            pages(&Bytes::from_static(b"{\"id\":7,\"result\":{}}"), &Id::Number(7), Offer::NONE),
            None
        );
    }

    fn offer(mode: &str) -> Offer {
        let call = CALL
            .replace("Capabilities\":{}", &format!("Capabilities\":{{\"elicitation\":{{\"{mode}\":{{}}}}}}"));
        let Message::Request(request) = envelope::read(call.as_bytes()).unwrap() else { panic!("{call}") };
        Offer::read(&request)
    }

    #[test]
    fn only_what_is_translated_is_offered() {
        let introduction = Introduction::read(&json!({
            "capabilities": { "tools": { "listChanged": true }, "logging": {}, "tasks": {} },
            "serverInfo": { "name": "old", "version": "1" }, "instructions": "Be careful.",
        }));
        let found: Value =
            serde_json::from_slice(&introduction.discovered(&Id::Text("d".to_owned()))).unwrap();
        assert_eq!(found["result"]["capabilities"], json!({ "tools": {} }));
        assert_eq!(found["result"]["instructions"], "Be careful.");
        assert_eq!(found["id"], "d");
        for method in ["subscriptions/listen", "tasks/get", "initialize", "anything"] {
            assert_eq!(passes(method), None);
        }
    }
}
