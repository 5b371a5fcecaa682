//! What to tell an MCP client so that it calls through the gateway: texts that work as they are, once the token is in them.

use domain::Slug;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// The release of `mcp-remote` that the texts name: one that was tried with this gateway.
const MCP_REMOTE: &str = "mcp-remote@0.15.1";

/// A ready-made text for one client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ClientConfiguration {
    /// `claude-code`, `claude-desktop`, `cursor`, `vscode`, `windsurf`, `codex`, `gemini-cli`, `mcp-remote`, `python`,
    /// `typescript`, `curl`, `json`.
    pub id: &'static str,
    /// `Claude Code`.
    pub name: &'static str,
    /// What to do with the text.
    pub hint: &'static str,
    /// `shell`, `json`, `toml`, `python` or `typescript`.
    pub language: &'static str,
    /// The text, token included.
    pub text: String,
}

/// The texts for a server called `name` at this gateway address, with this token or a placeholder.
pub fn configurations(name: &str, gateway_url: &str, token: &str) -> Vec<ClientConfiguration> {
    // A word that every client takes as a server's name, and that needs no quotes in a shell or a table.
    let key = Slug::suggest(name);
    let one = Access { key: key.as_str(), url: gateway_url, bearer: format!("Bearer {token}") };
    let text = |id, name, language, hint, text| ClientConfiguration { id, name, hint, language, text };
    vec![
        text("claude-code", "Claude Code", "shell", "Run this once in a terminal.", one.claude_code()),
        text(
            "claude-desktop",
            "Claude Desktop",
            "json",
            "Settings, Developer, Edit Config opens claude_desktop_config.json: put this into it and restart. Needs Node.js.",
            one.claude_desktop(),
        ),
        text(
            "cursor",
            "Cursor",
            "json",
            "Put this into ~/.cursor/mcp.json, or .cursor/mcp.json of a project.",
            pretty(&json!({ "mcpServers": { one.key: one.remote("url", None) } })),
        ),
        text(
            "vscode",
            "VS Code",
            "json",
            "Put this into .vscode/mcp.json of a project, or run \"MCP: Open User Configuration\".",
            pretty(&json!({ "servers": { one.key: one.remote("url", Some("http")) } })),
        ),
        text(
            "windsurf",
            "Windsurf",
            "json",
            "Put this into ~/.codeium/windsurf/mcp_config.json and refresh the MCP servers.",
            pretty(&json!({ "mcpServers": { one.key: one.remote("serverUrl", None) } })),
        ),
        text(
            "codex",
            "Codex",
            "toml",
            "Put this into ~/.codex/config.toml, or .codex/config.toml of a trusted project.",
            one.codex(),
        ),
        text(
            "gemini-cli",
            "Gemini CLI",
            "json",
            "Put this into ~/.gemini/settings.json, or .gemini/settings.json of a project.",
            pretty(&json!({ "mcpServers": { one.key: one.remote("httpUrl", None) } })),
        ),
        text(
            "mcp-remote",
            "mcp-remote",
            "shell",
            "For a client that only starts programs: this is the program. Needs Node.js.",
            one.mcp_remote(),
        ),
        text(
            "python",
            "Python SDK",
            "python",
            "Lists the tools. Needs the package mcp, 2.0 or newer.",
            one.python(),
        ),
        text(
            "typescript",
            "TypeScript SDK",
            "typescript",
            "Lists the tools. Needs the package @modelcontextprotocol/client, 2.0 or newer.",
            one.typescript(),
        ),
        text("curl", "curl", "shell", "Says hello to the server, to see that the token works.", one.curl()),
        text(
            "json",
            "Any client",
            "json",
            "The form that most clients read.",
            pretty(&json!({ "mcpServers": { one.key: one.remote("url", Some("http")) } })),
        ),
    ]
}

/// What every text says in its own way.
struct Access<'a> {
    key: &'a str,
    url: &'a str,
    bearer: String,
}

impl Access<'_> {
    /// The entry of a server for clients that call it themselves, under the name that the client has for an address.
    fn remote(&self, address: &str, kind: Option<&str>) -> Value {
        let mut entry = json!({});
        if let Some(kind) = kind {
            entry["type"] = kind.into();
        }
        entry[address] = self.url.into();
        entry["headers"] = json!({ "Authorization": self.bearer });
        entry
    }

    fn claude_code(&self) -> String {
        format!(
            "claude mcp add --transport http {} {} \\\n  --header {}",
            self.key,
            quoted(self.url),
            quoted(&format!("Authorization: {}", self.bearer))
        )
    }

    /// What `mcp-remote` is told. The header is in the environment, which other users of the machine can't read.
    fn remote_arguments(&self) -> [&str; 5] {
        [self.url, "--transport", "http-only", "--header", "Authorization:${AUTH_HEADER}"]
    }

    fn claude_desktop(&self) -> String {
        let arguments: Vec<&str> = ["-y", MCP_REMOTE].into_iter().chain(self.remote_arguments()).collect();
        let entry = json!({ "command": "npx", "args": arguments, "env": { "AUTH_HEADER": self.bearer } });
        pretty(&json!({ "mcpServers": { self.key: entry } }))
    }

    fn mcp_remote(&self) -> String {
        let [url, rest @ ..] = self.remote_arguments().map(quoted);
        format!("AUTH_HEADER={} npx -y {MCP_REMOTE} {url} \\\n  {}", quoted(&self.bearer), rest.join(" "))
    }

    /// A text of TOML is written as one of JSON is.
    fn codex(&self) -> String {
        format!(
            "[mcp_servers.{}]\nurl = {}\nhttp_headers = {{ Authorization = {} }}",
            self.key,
            literal(self.url),
            literal(&self.bearer)
        )
    }

    fn python(&self) -> String {
        format!(
            "import asyncio\n\n\
             from mcp import Client\n\
             from mcp.client.streamable_http import create_mcp_http_client, streamable_http_client\n\n\
             URL = {}\n\
             HEADERS = {{\"Authorization\": {}}}\n\n\n\
             async def main():\n    \
                 async with create_mcp_http_client(headers=HEADERS) as http:\n        \
                     async with Client(streamable_http_client(URL, http_client=http)) as client:\n            \
                         for tool in (await client.list_tools()).tools:\n                \
                             print(tool.name)\n\n\n\
             asyncio.run(main())",
            literal(self.url),
            literal(&self.bearer)
        )
    }

    fn typescript(&self) -> String {
        format!(
            "import {{ Client, StreamableHTTPClientTransport }} from '@modelcontextprotocol/client';\n\n\
             const url = new URL({});\n\
             const headers = {{ Authorization: {} }};\n\
             const client = new Client({{ name: 'my-agent', version: '1.0.0' }}, {{ versionNegotiation: {{ mode: 'auto' }} }});\n\
             await client.connect(new StreamableHTTPClientTransport(url, {{ requestInit: {{ headers }} }}));\n\
             for (const tool of (await client.listTools()).tools) console.log(tool.name);\n\
             await client.close();",
            literal(self.url),
            literal(&self.bearer)
        )
    }

    fn curl(&self) -> String {
        let hello = json!({
            "jsonrpc": "2.0",
            "id": 1,
            "method": "initialize",
            "params": {
                "protocolVersion": "2025-11-25",
                "capabilities": {},
                "clientInfo": { "name": "curl", "version": "1" },
            },
        });
        format!(
            "curl -sS {} \\\n  -H {} \\\n  -H 'Content-Type: application/json' \\\n  \
             -H 'Accept: application/json, text/event-stream' \\\n  -d {}",
            quoted(self.url),
            quoted(&format!("Authorization: {}", self.bearer)),
            quoted(&hello.to_string())
        )
    }
}

/// For a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// For JSON, TOML, Python and TypeScript, which agree on texts of an address or a token.
fn literal(text: &str) -> String {
    Value::from(text).to_string()
}

fn pretty(value: &Value) -> String {
    format!("{value:#}")
}

#[cfg(test)]
mod tests;
