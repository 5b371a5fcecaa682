//! The texts for clients: complete, readable to what reads them, and closed against names.

use super::*;

const URL: &str = "https://tollgate.example/mcp/01890a5d-ac96-774b-bcce-b302099a8057";

/// Reads a text as its client would, where it is data: the entry of the one server in it.
fn entry(text: &ClientConfiguration) -> Option<(String, Value)> {
    let value: Value = match text.language {
        "json" => serde_json::from_str(&text.text).unwrap(),
        "toml" => basic_toml::from_str(&text.text).unwrap(),
        _ => return None,
    };
    let servers = value.as_object().unwrap().values().next().unwrap().as_object().unwrap();
    let (name, entry) = servers.iter().next().unwrap();
    assert_eq!(servers.len(), 1, "{}", text.text);
    Some((name.clone(), entry.clone()))
}

fn text(id: &str) -> ClientConfiguration {
    let texts = configurations("Flowforge (demo)", URL, "tg_grant_x");
    texts.into_iter().find(|text| text.id == id).unwrap()
}

#[test]
fn every_text_has_address_and_token() {
    let texts = configurations("Flowforge (demo)", URL, "tg_grant_x");
    let ids: Vec<_> = texts.iter().map(|text| text.id).collect();
    let wanted = [
        "claude-code",
        "claude-desktop",
        "cursor",
        "vscode",
        "windsurf",
        "codex",
        "gemini-cli",
        "mcp-remote",
        "python",
        "typescript",
        "curl",
        "json",
    ];
    assert_eq!(ids, wanted);
    for text in &texts {
        assert!(text.text.contains(URL) && text.text.contains("Bearer tg_grant_x"), "{}", text.text);
        assert!(entry(text).is_none_or(|(name, _)| name == "flowforge-demo"), "{}", text.text);
    }
}

#[test]
fn each_client_finds_the_address_where_it_looks() {
    let headers = json!({ "Authorization": "Bearer tg_grant_x" });
    for (id, wanted) in [
        ("cursor", json!({ "url": URL, "headers": headers })),
        ("vscode", json!({ "type": "http", "url": URL, "headers": headers })),
        ("windsurf", json!({ "serverUrl": URL, "headers": headers })),
        ("codex", json!({ "url": URL, "http_headers": headers })),
        ("gemini-cli", json!({ "httpUrl": URL, "headers": headers })),
        ("json", json!({ "type": "http", "url": URL, "headers": headers })),
    ] {
        assert_eq!(entry(&text(id)).unwrap().1, wanted, "{id}");
    }
    assert!(text("vscode").text.starts_with("{\n  \"servers\""));
    assert_eq!(
        text("claude-code").text,
        format!(
            "claude mcp add --transport http flowforge-demo '{URL}' \\\n  \
             --header 'Authorization: Bearer tg_grant_x'"
        )
    );
}

#[test]
fn a_token_is_in_no_argument_that_others_can_read() {
    let (_, desktop) = entry(&text("claude-desktop")).unwrap();
    assert!(!desktop["args"].to_string().contains("tg_grant_x"), "{desktop}");
    let remote = text("mcp-remote").text;
    let (before, arguments) = remote.split_once(" npx ").unwrap();
    assert!(before.contains("tg_grant_x") && !arguments.contains("tg_grant_x"), "{remote}");
}

#[test]
fn no_name_breaks_out_of_a_text() {
    for name in ["'; rm -rf /; '", "$(id)", "\"},{", "]\nurl = 1", "日本"] {
        for text in configurations(name, URL, "t") {
            assert!(!text.text.contains(name), "{}", text.text);
            entry(&text);
        }
    }
}

#[test]
fn a_quote_stays_a_quote() {
    assert_eq!(quoted("it's"), r"'it'\''s'");
    assert_eq!(literal("say \"x\""), r#""say \"x\"""#);
}
