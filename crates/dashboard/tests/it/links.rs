//! Every address of every page answers, every fragment is there, and no page has a secret in it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use domain::Outcome;
use testkit::Question;

use crate::log::decision;
use crate::world::{Browser, Page, Site, last_id};

/// An argument whose key says that it is a secret.
const MASKED: &str = "a-password-among-arguments";
const DOCUMENT: &str = r#"{"version": "1", "default": "deny", "tools": {"flowforge_list_*": {},
    "flowforge_retry_run": {"action": "require_approval"}}}"#;

/// An organisation that has one of everything, and every address that its pages lead to.
pub async fn furnished(site: &Site) -> (BTreeMap<String, Page>, Vec<String>) {
    let mut browser = site.owner("Acme").await;
    let secrets = furnish(&mut browser).await;
    let pages = crawl(&mut browser).await;
    for (path, page) in &pages {
        for secret in &secrets {
            assert!(!page.html.contains(secret.as_str()), "{path} has a secret in it");
        }
    }
    let paths = pages.keys().cloned().collect();
    (pages, paths)
}

/// Makes one of everything; what must be on no page afterwards.
async fn furnish(browser: &mut Browser<'_>) -> Vec<String> {
    let server = browser.server("acme").await;
    let policy = browser.policy(&server, DOCUMENT).await;
    browser.get(&policy).await;
    let next = DOCUMENT.replace("_list_", "_get_");
    browser.submit(&policy, &[("document", &next), ("expected_version", "1"), ("do", "save")]).await.is(200);
    let (used, active) = browser.grant(&server, &policy, "Active bot").await;
    let (grant, revoked) = browser.grant(&server, &policy, "Revoked bot").await;
    browser.submit(&format!("{grant}/revoke"), &[]).await.is(200);
    browser.get("/o/acme/keys").await;
    let key =
        browser.submit("/o/acme/keys", &[("label", "export"), ("role", "viewer")]).await.element("token");
    let session = browser.cookies["__Host-tollgate"].clone();
    let mut secrets =
        vec![active, revoked, key, session, "upstream-secret-value".to_owned(), "$argon2".to_owned()];
    secrets.push(crate::world::PASSWORD.to_owned());
    ask(browser, [&server, &used, &policy]).await;
    secrets.push(MASKED.to_owned());
    secrets
}

/// Lets a call wait for a person, as the log says.
async fn ask(browser: &mut Browser<'_>, [server, grant, policy]: [&str; 3]) {
    let (tenant, tool) = (browser.tenant("acme").await, "flowforge_retry_run");
    let rule = "/tools/flowforge_retry_run/action";
    let waits = decision(tenant, [server, grant, policy], Outcome::Pending, tool, Some(rule));
    audit::record_direct(&browser.site.database.storage, &waits).await.unwrap();
    let question = Question {
        tenant,
        server: last_id(server),
        grant: last_id(grant),
        policy: Some((last_id(policy), "Support", 1)),
        tool,
        arguments: &format!(r#"{{"password":"{MASKED}","run_id":"run-0001"}}"#),
        decision: waits.id,
        at: waits.decided_at,
    };
    browser.site.ask(&question).await;
}

/// Every page that can be reached, by its address without fragment.
async fn crawl(browser: &mut Browser<'_>) -> BTreeMap<String, Page> {
    let mut pages = BTreeMap::new();
    let mut seen = BTreeSet::from(["/".to_owned()]);
    let mut waiting = VecDeque::from(["/".to_owned()]);
    while let Some(path) = waiting.pop_front() {
        let page = browser.get(&path).await;
        assert_eq!(page.status, 200, "{path}:\n{}", page.html);
        for href in page.hrefs() {
            let target = href.split('#').next().unwrap().to_owned();
            // The API answers beside these pages; bars of the chart differ in their hour alone.
            let skip = target.is_empty()
                || target.starts_with("/api/")
                || target.contains("/log?") && target.contains("from=");
            if !skip && seen.insert(target.clone()) {
                waiting.push_back(target);
            }
        }
        pages.insert(path, page);
    }
    pages
}

#[tokio::test]
async fn every_link_leads_somewhere() {
    let site = Site::start().await;
    let (pages, paths) = furnished(&site).await;
    for part in [
        "/o/acme/servers/new",
        "/tools",
        "/policies/new",
        "/history",
        "/versions/1",
        "/diff?",
        "/grants/new",
        "/settings",
        "/o/acme/log",
        "/o/acme/approvals",
        "/o/acme/approvals/",
        "/o/acme/members",
        "/o/acme/keys",
        "/o/acme/admin-log",
        "/account",
        "/docs/api",
        "/docs/policy",
    ] {
        assert!(paths.iter().any(|path| path.contains(part)), "no page leads to {part}: {paths:#?}");
    }
    for (path, page) in &pages {
        for href in page.hrefs() {
            let Some((target, fragment)) = href.split_once('#') else { continue };
            let target = if target.is_empty() { path.as_str() } else { target };
            let Some(other) = pages.get(target) else { continue };
            let there = fragment.starts_with("i-") || other.html.contains(&format!("id=\"{fragment}\""));
            assert!(there, "{path} leads to #{fragment} of {target}, which is not there");
        }
    }
}
