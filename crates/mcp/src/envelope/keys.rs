//! Keys that look like a known one without being it.

/// Keys of `params` that some revision of the protocol gives a meaning.
const PARAMS: [&str; 24] = [
    "_meta",
    "argument",
    "arguments",
    "capabilities",
    "clientInfo",
    "context",
    "cursor",
    "inputResponses",
    "level",
    "message",
    "name",
    "notifications",
    "progress",
    "progressToken",
    "protocolVersion",
    "reason",
    "ref",
    "requestId",
    "requestState",
    "task",
    "taskId",
    "total",
    "uri",
    "status",
];

/// Keys of `params._meta` without a prefix that the protocol gives a meaning.
const META: [&str; 4] = ["progressToken", "traceparent", "tracestate", "baggage"];

/// Prefix of `params._meta` keys that the protocol reserves.
const META_PREFIX: &str = "io.modelcontextprotocol/";

/// Keys under [`META_PREFIX`] that the protocol gives a meaning.
const META_PREFIXED: [&str; 7] = [
    "clientCapabilities",
    "clientInfo",
    "logLevel",
    "protocolVersion",
    "related-task",
    "serverInfo",
    "subscriptionId",
];

/// Whether a key of `params` could be read as another.
pub(super) fn doubtful_param(key: &str) -> bool {
    !plain(key) || resembles(key, &PARAMS)
}

/// Whether a key of `params._meta` could be read as another.
pub(super) fn doubtful_meta(key: &str) -> bool {
    if !plain(key) || resembles(key, &META) {
        return true;
    }
    match key.split_at_checked(META_PREFIX.len()) {
        Some((META_PREFIX, name)) => resembles(name, &META_PREFIXED),
        Some((prefix, _)) => prefix.eq_ignore_ascii_case(META_PREFIX),
        None => false,
    }
}

/// Printable ASCII. All known keys are, so that anything which Unicode folds onto one of them (`paramſ`, full width,
/// invisible characters, a NUL at the end) is refused without a table of Unicode.
fn plain(key: &str) -> bool {
    key.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

fn resembles(key: &str, known: &[&str]) -> bool {
    known.iter().any(|name| *name != key && name.eq_ignore_ascii_case(key))
}
