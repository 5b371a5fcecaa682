//! What every answer says to the browser, and what is asked of every form.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use axum::body::Body;
use http::Request;

use crate::world::{PASSWORD, Site};

#[tokio::test]
async fn every_answer_has_the_headers() {
    let site = Site::start().await;
    let mut browser = site.owner("Acme").await;
    for path in ["/o/acme", "/login", "/nowhere", "/o/other", "/docs/api"] {
        let page = browser.get(path).await;
        let policy = page.header("content-security-policy");
        for part in ["default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"]
        {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("referrer-policy"), "same-origin");
        assert_eq!(page.header("cache-control"), "no-store");
        assert_eq!(page.header("x-request-id").len(), 36);
    }
}

#[tokio::test]
async fn assets_are_kept_for_ever_at_addresses_of_their_content() {
    let site = Site::start().await;
    let mut browser = site.browser();
    let page = browser.get("/login").await;
    let stylesheet = page.attribute("rel=\"stylesheet\" href=\"").unwrap();
    let asset = browser.get(&stylesheet).await;
    asset.is(200).says("prefers-color-scheme");
    assert_eq!(asset.header("cache-control"), "public, max-age=31536000, immutable");
    browser.get("/static/app.css").await.is(404);
}

/// The SHA-256 of a file, as it is listed.
fn hex(bytes: &[u8]) -> String {
    let digits: Vec<String> = vault::sha256(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    digits.concat()
}

/// `make editor` writes both digests into the first line of the file.
#[tokio::test]
async fn the_editor_is_what_was_built_from_its_sources() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/editor");
    let modules = fs::read_dir(folder.join("src")).unwrap();
    let modules = modules.map(|entry| format!("src/{}", entry.unwrap().file_name().into_string().unwrap()));
    let beside = ["build.mjs", "package-lock.json", "package.json"].map(str::to_owned);
    let names: BTreeSet<String> = modules.chain(beside).collect();
    let text = |name: &String| format!("{name}\0{}\0", fs::read_to_string(folder.join(name)).unwrap());
    let sources: String = names.iter().map(text).collect();

    let site = Site::start().await;
    let mut browser = site.owner("Acme").await;
    let server = browser.server("acme").await;
    let page = browser.get(&format!("{server}/policies/new")).await;
    let editor = browser.get(&page.attribute("data-editor=\"").unwrap()).await;
    let (banner, code) = editor.is(200).html.split_once('\n').unwrap();
    for (what, text) in [("sources", sources.as_str()), ("code", code)] {
        let digest = hex(text.as_bytes());
        assert!(banner.contains(&format!(" {what} {digest} ")), "run `make editor`: {banner}");
    }
}

/// Every file that is not ours is in `VENDORED.md`, as it is.
#[test]
fn vendored_files_are_those_that_are_listed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../web/static");
    let listed = fs::read_to_string(folder.join("VENDORED.md")).unwrap();
    let htmx = fs::read(folder.join("htmx.min.js")).unwrap();
    let digest = hex(&htmx);
    assert!(listed.contains(&digest), "htmx.min.js is {digest}");
    let lock = fs::read_to_string(folder.join("../editor/package-lock.json")).unwrap();
    let lock: serde_json::Value = serde_json::from_str(&lock).unwrap();
    for (path, package) in lock["packages"].as_object().unwrap() {
        let Some(name) = path.strip_prefix("node_modules/").filter(|_| package["dev"].is_null()) else {
            continue;
        };
        let row = format!("| `{name}` | {} |", package["version"].as_str().unwrap());
        assert!(listed.contains(&row), "VENDORED.md does not have: {row}");
    }
}

#[tokio::test]
async fn the_session_cookie_keeps_to_this_host_and_from_scripts() {
    let site = Site::start().await;
    let mut browser = site.browser();
    browser.get("/signup").await;
    let visit = &browser.cookies["__Host-tollgate-visit"];
    assert_eq!(visit.len(), 64);
    let form = url::form_urlencoded::Serializer::new(String::new())
        .append_pair("csrf", &browser.get("/signup").await.attribute("name=\"csrf\" value=\"").unwrap())
        .extend_pairs([("email", "a@example.com"), ("password", PASSWORD), ("organisation", "A Co")])
        .finish();
    let request = Request::post("/signup")
        .header("content-type", "application/x-www-form-urlencoded")
        .header("cookie", format!("__Host-tollgate-visit={}", browser.cookies["__Host-tollgate-visit"]))
        .body(Body::from(form))
        .unwrap();
    let answer = site.send(request).await;
    assert_eq!(answer.status, 303);
    let cookie = answer.header("set-cookie");
    assert!(cookie.starts_with("__Host-tollgate=tg_session_"), "{cookie}");
    for part in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax", "; Max-Age="] {
        assert!(cookie.contains(part), "{cookie}");
    }
}

#[tokio::test]
async fn a_form_without_its_token_or_from_elsewhere_does_nothing() {
    let site = Site::start().await;
    let mut browser = site.owner("Acme").await;
    let token = browser.get("/o/acme/settings").await.attribute("name=\"csrf\" value=\"").unwrap();
    let session = browser.cookies["__Host-tollgate"].clone();
    let sent = async |body: String, header: (&str, &str), cookie: &str| {
        let request = Request::post("/o/acme/settings")
            .header("host", "tollgate.example")
            .header("content-type", "application/x-www-form-urlencoded")
            .header("cookie", cookie)
            .header(header.0, header.1)
            .body(Body::from(body))
            .unwrap();
        site.send(request).await
    };
    let cookie = format!("__Host-tollgate={session}");
    let with = |token: &str| format!("csrf={token}&name=Stolen");
    let ours = ("origin", "https://tollgate.example");
    let other = site.owner("Other").await.cookies["__Host-tollgate"].clone();
    let refused = [
        sent("name=Stolen".to_owned(), ours, &cookie).await,
        sent(with(""), ours, &cookie).await,
        sent(with(&"0".repeat(64)), ours, &cookie).await,
        sent(with(&token), ours, &format!("__Host-tollgate={other}")).await,
        sent(with(&token), ours, "").await,
        sent(with(&token), ("origin", "https://evil.example"), &cookie).await,
        sent(with(&token), ("origin", "null"), &cookie).await,
        sent(with(&token), ("sec-fetch-site", "cross-site"), &cookie).await,
    ];
    for page in refused {
        page.is(403).says("Form refused").says("request id");
    }
    browser.get("/o/acme/settings").await.says("value=\"Acme\"");
    assert_eq!(sent(with(&token), ours, &cookie).await.status, 303);
}

#[tokio::test]
async fn only_forms_of_bounded_size_are_read() {
    let site = Site::start().await;
    let browser = site.owner("Acme").await;
    let cookie = format!("__Host-tollgate={}", browser.cookies["__Host-tollgate"]);
    let post = |kind: &str, body: String| {
        Request::post("/o/acme/settings")
            .header("content-type", kind)
            .header("cookie", cookie.as_str())
            .body(Body::from(body))
            .unwrap()
    };
    site.send(post("application/json", "{}".to_owned())).await.is(415);
    let large = format!("name={}", "x".repeat(1024 * 1024));
    site.send(post("application/x-www-form-urlencoded", large)).await.is(413);
}
