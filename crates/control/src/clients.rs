//! What to tell an MCP client so that it calls through the gateway.

use domain::Slug;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// A ready-made text for one client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct ClientConfiguration {
    /// `claude-code`, `cursor`, `vscode`, `json`, `curl`.
    pub id: &'static str,
    /// `Claude Code`.
    pub name: &'static str,
    /// What to do with the text.
    pub hint: &'static str,
    /// `shell` or `json`.
    pub language: &'static str,
    /// The text, token included.
    pub text: String,
}

/// The texts for a server called `name` at this gateway address, with this token or a placeholder.
pub fn configurations(name: &str, gateway_url: &str, token: &str) -> Vec<ClientConfiguration> {
    // A word that every client takes as a server's name, and that needs no quotes in a shell.
    let key = Slug::suggest(name);
    let key = key.as_str();
    let bearer = format!("Bearer {token}");
    let remote = json!({ "type": "http", "url": gateway_url, "headers": { "Authorization": bearer } });
    let cursor = json!({ "url": gateway_url, "headers": { "Authorization": bearer } });
    vec![
        ClientConfiguration {
            id: "claude-code",
            name: "Claude Code",
            hint: "Run this once in a terminal.",
            language: "shell",
            text: format!(
                "claude mcp add --transport http {key} {} \\\n  --header {}",
                quoted(gateway_url),
                quoted(&format!("Authorization: {bearer}"))
            ),
        },
        ClientConfiguration {
            id: "cursor",
            name: "Cursor",
            hint: "Put this into ~/.cursor/mcp.json, or .cursor/mcp.json of a project.",
            language: "json",
            text: pretty(&json!({ "mcpServers": { key: cursor } })),
        },
        ClientConfiguration {
            id: "vscode",
            name: "VS Code",
            hint: "Put this into .vscode/mcp.json of a project.",
            language: "json",
            text: pretty(&json!({ "servers": { key: remote } })),
        },
        ClientConfiguration {
            id: "json",
            name: "Any client",
            hint: "The form that most clients read.",
            language: "json",
            text: pretty(&json!({ "mcpServers": { key: remote } })),
        },
        ClientConfiguration {
            id: "curl",
            name: "curl",
            hint: "Says hello to the server, to see that the token works.",
            language: "shell",
            text: curl(gateway_url, &bearer),
        },
    ]
}

fn curl(gateway_url: &str, bearer: &str) -> String {
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
        quoted(gateway_url),
        quoted(&format!("Authorization: {bearer}")),
        quoted(&hello.to_string())
    )
}

/// For a POSIX shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn pretty(value: &Value) -> String {
    format!("{value:#}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "https://tollgate.example/mcp/01890a5d-ac96-774b-bcce-b302099a8057";

    #[test]
    fn every_text_has_address_and_token() {
        let texts = configurations("Flowforge (demo)", URL, "tg_grant_x");
        let ids: Vec<_> = texts.iter().map(|text| text.id).collect();
        assert_eq!(ids, ["claude-code", "cursor", "vscode", "json", "curl"]);
        for text in &texts {
            assert!(text.text.contains(URL) && text.text.contains("Bearer tg_grant_x"), "{}", text.text);
            if text.language == "json" {
                let value: Value = serde_json::from_str(&text.text).unwrap();
                assert!(value.as_object().unwrap().values().all(|v| v.get("flowforge-demo").is_some()));
            }
        }
        assert_eq!(
            texts[0].text,
            format!(
                "claude mcp add --transport http flowforge-demo '{URL}' \\\n  \
                 --header 'Authorization: Bearer tg_grant_x'"
            )
        );
    }

    #[test]
    fn no_name_breaks_out_of_a_text() {
        for name in ["'; rm -rf /; '", "$(id)", "\"},{", "日本"] {
            for text in configurations(name, URL, "t") {
                assert!(!text.text.contains(name), "{}", text.text);
                if text.language == "json" {
                    serde_json::from_str::<Value>(&text.text).unwrap();
                }
            }
        }
    }

    #[test]
    fn a_quote_in_a_shell_text_stays_a_quote() {
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
