//! `/o/{org}/servers/{server}/grants`

use crate::world::{PASSWORD, Site};

const DOCUMENT: &str = r#"{"version": "1", "default": "deny", "tools": {"flowforge_list_*": {}}}"#;

#[tokio::test]
async fn a_token_is_shown_once_with_configuration_for_clients() {
    let site = Site::start().await;
    let mut browser = site.owner("Acme").await;
    let server = browser.server("acme").await;
    let policy = browser.policy(&server, DOCUMENT).await;
    let new = format!("{server}/grants/new");
    browser.get(&new).await.is(200).says(">Support</option>");
    let id = policy.rsplit('/').next().unwrap();
    let fields = [("label", "CI bot"), ("identity", "ci"), ("policy_id", id), ("expires_at", "2099-12-31")];
    let page = browser.submit(&new, &fields).await;
    let token = page.is(200).says("I have stored it").element("grant-token");
    assert!(token.starts_with("tg_grant_"), "{token}");
    for client in ["Claude Code", "Claude Desktop", "Windsurf", "Codex", "Gemini CLI", "Python SDK", "curl"] {
        page.says(client);
    }
    assert!(page.html.matches(&token).count() >= 13, "the token is filled in for every client");
    let list = browser.get(&format!("{server}/grants")).await;
    list.is(200).says("CI bot").says("Support").never_says(&token);
}

#[tokio::test]
async fn each_client_has_a_page_without_the_token() {
    let site = Site::start().await;
    let mut browser = site.owner("Acme").await;
    let server = browser.server("acme").await;
    let policy = browser.policy(&server, DOCUMENT).await;
    let (grant, token) = browser.grant(&server, &policy, "Bot").await;
    browser.get(&grant).await.is(200).says(&format!("href=\"{grant}/clients\""));
    let first = browser.get(&format!("{grant}/clients")).await;
    first.is(200).says("claude mcp add").says("YOUR_GRANT_TOKEN").never_says(&token);
    for client in ["claude-desktop", "codex", "python", "curl"] {
        let link = format!("{grant}/clients/{client}");
        first.says(&link);
        browser.get(&link).await.is(200).says("YOUR_GRANT_TOKEN").says("/mcp/").never_says(&token);
    }
    browser.get(&format!("{grant}/clients/telnet")).await.is(404);
    let elsewhere = grant.replace(&server, "/o/acme/servers/01890a5d-ac96-774b-bcce-b302099a8057");
    browser.get(&format!("{elsewhere}/clients")).await.is(404);
}

#[tokio::test]
async fn rotate_reveal_attach_expire_and_revoke() {
    let site = Site::start().await;
    let mut browser = site.owner("Acme").await;
    let server = browser.server("acme").await;
    let policy = browser.policy(&server, DOCUMENT).await;
    let (grant, first) = browser.grant(&server, &policy, "Bot").await;
    browser.get(&grant).await.is(200).says("No client used this grant").never_says(&first);

    let rotated = browser.submit(&format!("{grant}/rotate"), &[]).await;
    let second = rotated.is(200).says("The old token is refused").element("grant-token");
    assert_ne!(first, second);

    let reveal = format!("{grant}/reveal");
    browser.submit(&reveal, &[("password", "wrong password")]).await.is(422).never_says(&second);
    let revealed = browser.submit(&reveal, &[("password", PASSWORD)]).await;
    assert_eq!(revealed.is(200).element("grant-token"), second);
    browser.get("/o/acme/admin-log").await.says("grant.reveal");

    browser
        .submit(&format!("{grant}/policy"), &[("policy_id", "")])
        .await
        .is(200)
        .says("every call is denied");
    browser
        .submit(&format!("{grant}/expiry"), &[("expires_at", "2001-01-01")])
        .await
        .is(422)
        .says("value=\"2001-01-01\"");
    browser
        .submit(&format!("{grant}/expiry"), &[("expires_at", "2099-12-31")])
        .await
        .is(200)
        .says("2099-12-31");

    let revoked = browser.submit(&format!("{grant}/revoke"), &[]).await;
    revoked.is(200).says("Its next call is refused").says(" UTC");
    browser.get(&grant).await.is(200).says("Every call since then is refused").never_says("Rotate token");
}

#[tokio::test]
async fn what_is_wrong_with_a_grant_is_said_at_its_field() {
    let site = Site::start().await;
    let mut browser = site.owner("Acme").await;
    let server = browser.server("acme").await;
    let new = format!("{server}/grants/new");
    browser.get(&new).await;
    let fields = [("label", " "), ("identity", "x\u{202e}y"), ("policy_id", ""), ("expires_at", "")];
    let page = browser.submit(&new, &fields).await;
    page.is(422).says("Must not be empty");
    assert_eq!(page.html.matches("aria-invalid=\"true\"").count(), 2, "{}", page.html);
    browser.get(&format!("{server}/grants")).await.says("No grant yet");
}
