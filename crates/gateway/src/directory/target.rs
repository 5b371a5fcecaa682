//! What the grants of one server share: where their calls go, with what, and the tools that were seen there.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use mcp::definition::{self, Extent};
use mcp::headers::ParamHeaders;
use policy::ArgumentSchema;
use storage::directory as stored;
use vault::{Keyring, Place};

use super::shared::Shared;
use super::view::Unusable;

/// A server as its calls need it.
pub(crate) struct Target {
    pub name: String,
    pub upstream: Uri,
    /// What the upstream is called with. Marked sensitive, so that no log shows them.
    pub credentials: HeaderMap,
    /// Methods that no revision knows and the server's settings let pass.
    pub custom_methods: Vec<String>,
    /// Tools are held to the definitions that were approved.
    pub pins_tools: bool,
    pub tools: Arc<Tools>,
}

/// The tools last seen at a server. Servers with the very same share them.
#[derive(Default)]
pub(crate) struct Tools {
    by_name: HashMap<Box<str>, Tool>,
    /// Their names without what a lenient server may not look at.
    folded: OnceLock<HashSet<String>>,
}

/// A tool as last seen at the upstream. Most are never called, so they are read and compiled at their first call.
pub(crate) struct Tool {
    /// Its definition is the one that was approved.
    pub approved: bool,
    /// How much is known of what it says of itself, and SHA-256 of that, where tools are pinned; none when that can't be told.
    definition: Option<(Extent, [u8; 32])>,
    schema: Box<str>,
    arguments: OnceLock<Option<Box<ArgumentSchema>>>,
    headers: OnceLock<ParamHeaders>,
}

/// The servers whose grants are remembered.
pub(crate) struct Targets {
    by_content: Shared<[u8; 32], Target>,
    tools: Shared<[u8; 32], Tools>,
}

impl Targets {
    pub fn new() -> Self {
        Self { by_content: Shared::new(), tools: Shared::new() }
    }

    /// The server of a grant that was read, with what was sealed opened.
    pub fn open(&self, stored: &stored::GrantView, keyring: &Keyring) -> Result<Arc<Target>, Unusable> {
        let tools = digest_of_tools(&stored.tools);
        let content = digest(stored, &tools);
        if let Some(known) = self.by_content.get(&content) {
            return Ok(known);
        }
        let target = Target {
            name: stored.server_name.clone(),
            upstream: stored.upstream_url.parse().map_err(|_| Unusable::Address)?,
            credentials: open_credentials(stored, keyring)?,
            custom_methods: stored.custom_methods.clone(),
            pins_tools: stored.pin_tools,
            tools: match self.tools.get(&tools) {
                Some(known) => known,
                None => self.tools.join(tools, Tools::new(&stored.tools)),
            },
        };
        Ok(self.by_content.join(content, target))
    }
}

impl Target {
    /// Whether the server's settings list this method.
    pub fn lets_pass(&self, method: &str) -> bool {
        self.custom_methods.iter().any(|listed| listed == method)
    }
}

impl Tools {
    fn new(stored: &[stored::ToolSchema]) -> Self {
        let by_name = stored.iter().map(|tool| (tool.name.as_str().into(), Tool::new(tool))).collect();
        Self { by_name, folded: OnceLock::new() }
    }

    /// The tool of this name, if it was seen.
    pub fn get(&self, name: &str) -> Option<&Tool> {
        self.by_name.get(name)
    }

    /// The names of those that were seen.
    pub fn names(&self) -> impl Iterator<Item = &str> + Clone {
        self.by_name.keys().map(AsRef::as_ref)
    }

    /// Whether none was.
    pub fn is_unread(&self) -> bool {
        self.by_name.is_empty()
    }

    /// Whether a server could take this name, which it did not list, for one that it did: they differ in case, blanks and signs
    /// alone, or this one has letters that may be read as others. No rule for the listed one holds of it.
    pub fn resembles(&self, name: &str) -> bool {
        if self.by_name.is_empty() || self.by_name.contains_key(name) {
            return false;
        }
        let folded = || self.by_name.keys().map(|listed| fold(listed)).collect::<HashSet<_>>();
        !name.is_ascii() || self.folded.get_or_init(folded).contains(&fold(name))
    }
}

impl Tool {
    fn new(stored: &stored::ToolSchema) -> Self {
        let definition = stored.words.is_object().then(|| {
            let mut whole = stored.words.clone();
            whole["inputSchema"] = read(&stored.input_schema);
            let extent = match whole["more"].take() {
                serde_json::Value::Object(more) => {
                    // Readings before it was kept don't have it, and those since then always.
                    let extent = if more.contains_key("execution") { Extent::Whole } else { Extent::Shown };
                    if let Some(whole) = whole.as_object_mut() {
                        whole.extend(more);
                    }
                    extent
                }
                _ => Extent::Words,
            };
            let text = whole.to_string();
            let whole = json::parse(text.as_bytes(), json::MAX_DEPTH).ok()?;
            Some((extent, digest_of(&whole, extent)?))
        });
        Self {
            approved: stored.approved,
            definition: definition.flatten(),
            schema: stored.input_schema.as_str().into(),
            arguments: OnceLock::new(),
            headers: OnceLock::new(),
        }
    }

    /// Whether this is the definition that it is known by, where tools are pinned.
    pub fn is_defined_as(&self, listed: &json::Value<'_>) -> bool {
        self.definition.is_some_and(|(extent, known)| digest_of(listed, extent) == Some(known))
    }

    /// What its arguments are validated against; none when the upstream's schema can't be used.
    pub fn arguments(&self) -> Option<&ArgumentSchema> {
        let compile = || ArgumentSchema::compile(&read(&self.schema)).ok().map(Box::new);
        self.arguments.get_or_init(compile).as_deref()
    }

    /// The arguments that headers must mirror.
    pub fn headers(&self) -> &ParamHeaders {
        self.headers.get_or_init(|| ParamHeaders::of(&read(&self.schema)))
    }
}

/// A name in lower case, its letters and digits alone.
fn fold(name: &str) -> String {
    name.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A stored schema. Postgres keeps nothing that is no JSON.
fn read(schema: &str) -> serde_json::Value {
    serde_json::from_str(schema).unwrap_or_default()
}

/// SHA-256 of what a tool says of itself.
fn digest_of(tool: &json::Value<'_>, extent: Extent) -> Option<[u8; 32]> {
    definition::canonical(tool, extent).map(|text| vault::sha256(text.as_bytes()))
}

/// Bytes behind their length, so that no two lists give the same.
fn part(text: &mut Vec<u8>, bytes: &[u8]) {
    text.extend_from_slice(&(bytes.len() as u64).to_be_bytes());
    text.extend_from_slice(bytes);
}

fn digest_of_tools(tools: &[stored::ToolSchema]) -> [u8; 32] {
    let mut text = Vec::with_capacity(tools.iter().map(|tool| tool.input_schema.len() + 64).sum());
    for tool in tools {
        part(&mut text, tool.name.as_bytes());
        part(&mut text, tool.input_schema.as_bytes());
        part(&mut text, tool.words.to_string().as_bytes());
        part(&mut text, &[u8::from(tool.approved)]);
    }
    vault::sha256(&text)
}

/// Of everything that a target is made of, and whose it is.
fn digest(stored: &stored::GrantView, tools: &[u8; 32]) -> [u8; 32] {
    let mut text = Vec::with_capacity(512);
    part(&mut text, stored.tenant.uuid().as_bytes());
    part(&mut text, stored.server.uuid().as_bytes());
    part(&mut text, stored.server_name.as_bytes());
    part(&mut text, stored.upstream_url.as_bytes());
    part(&mut text, &[u8::from(stored.pin_tools)]);
    part(&mut text, tools);
    part(&mut text, &(stored.headers.len() as u64).to_be_bytes());
    for header in &stored.headers {
        part(&mut text, header.name.as_bytes());
        part(&mut text, &header.sealed);
    }
    for method in &stored.custom_methods {
        part(&mut text, method.as_bytes());
    }
    vault::sha256(&text)
}

fn open_credentials(stored: &stored::GrantView, keyring: &Keyring) -> Result<HeaderMap, Unusable> {
    let mut headers = HeaderMap::with_capacity(stored.headers.len());
    for header in &stored.headers {
        let place =
            Place::UpstreamHeader { tenant: stored.tenant, server: stored.server, name: &header.name };
        let opened = keyring.open(&header.sealed, place)?;
        let name = HeaderName::try_from(header.name.as_str()).map_err(|_| Unusable::NotAHeader)?;
        let mut value = HeaderValue::from_bytes(opened.expose()).map_err(|_| Unusable::NotAHeader)?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}
