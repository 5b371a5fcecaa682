//! A site with services of its own, and browsers that keep cookies, follow redirects and send forms as a page has them.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use control::{Control, ControlParts};
use dashboard::DashboardState;
use domain::{ApprovalId, Clock, TenantId};
use egress::EgressConfig;
use flowforge_sim::{Engine, Options};
use http::{HeaderMap, Request, header};
use http_body_util::BodyExt;
use testkit::{Question, TestDb};
use tower::ServiceExt;
use vault::{Entropy, Keyring};

/// What people sign up with.
pub const PASSWORD: &str = "correct horse battery";

/// The pages, alone in their world.
pub struct Site {
    pub router: Router,
    state: DashboardState,
    pub database: TestDb,
    pub upstream: String,
}

/// A browser of one person.
pub struct Browser<'a> {
    pub site: &'a Site,
    pub cookies: BTreeMap<String, String>,
    /// The form token of the page that was last looked at.
    csrf: String,
}

/// What came back, behind all redirects.
pub struct Page {
    pub status: u16,
    /// Where it was found in the end.
    pub path: String,
    pub headers: HeaderMap,
    pub html: String,
}

impl Site {
    /// A new one; nothing of it is shared with another test.
    pub async fn start() -> Self {
        let database = testkit::database().await;
        let ledger = testkit::redis().ledger(Clock::System).await;
        let keyring: Keyring = "test:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=".parse().unwrap();
        let public_url = "https://tollgate.example".to_owned();
        let upstream = upstream().await;
        let control = Control::new(ControlParts {
            storage: database.storage.clone(),
            ledger,
            signer: vault::jwt::Signer::new(&keyring, &public_url, &format!("{public_url}/api/v1")).unwrap(),
            keyring: keyring.clone(),
            egress: egress::Client::new(EgressConfig {
                allow_private: true,
                first_byte_timeout: Duration::from_secs(5),
                ..EgressConfig::default()
            })
            .unwrap(),
            clock: Clock::System,
            entropy: Entropy::System,
            public_url,
            client_metadata: true,
            demo_upstream: Some(upstream.parse().unwrap()),
        });
        let state = DashboardState {
            control,
            keyring,
            clock: Clock::System,
            entropy: Entropy::System,
            openapi: std::sync::Arc::new(openapi()),
            patience: Duration::from_secs(90),
        };
        Self { router: dashboard::router(state.clone()), state, database, upstream }
    }

    /// A browser that nobody has used yet.
    pub fn browser(&self) -> Browser<'_> {
        Browser { site: self, cookies: BTreeMap::new(), csrf: String::new() }
    }

    /// Somebody who signed up with an organisation of this name, whose slug it is in lower case.
    pub async fn owner(&self, organisation: &str) -> Browser<'_> {
        let mut browser = self.browser();
        browser.get("/signup").await;
        let email = format!("{}@example.com", organisation.to_lowercase());
        let fields = [("email", email.as_str()), ("password", PASSWORD), ("organisation", organisation)];
        let page = browser.submit("/signup", &fields).await;
        assert_eq!((page.status, page.path), (200, format!("/o/{}", organisation.to_lowercase())));
        browser
    }

    /// Lets a call wait for a person.
    pub async fn ask(&self, question: &Question<'_>) -> ApprovalId {
        question.ask(&self.database.storage, &self.state.keyring).await
    }

    /// Sends a request as it is.
    pub async fn send(&self, request: Request<Body>) -> Page {
        answer(self.router.clone(), request).await
    }

    /// The same, where a request has so long.
    pub async fn send_within(&self, patience: Duration, request: Request<Body>) -> Page {
        answer(dashboard::router(DashboardState { patience, ..self.state.clone() }), request).await
    }
}

async fn answer(router: Router, request: Request<Body>) -> Page {
    let path = request.uri().to_string();
    let response = router.oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await.unwrap().to_bytes();
    let html = String::from_utf8_lossy(&bytes).into_owned();
    Page { status: parts.status.as_u16(), path, headers: parts.headers, html }
}

/// The id at the end of an address.
pub fn last_id<T: std::str::FromStr<Err: std::fmt::Debug>>(path: &str) -> T {
    path.rsplit('/').next().unwrap().parse().unwrap()
}

impl Browser<'_> {
    /// The organisation that `org` is the slug of.
    pub async fn tenant(&mut self, org: &str) -> TenantId {
        let settings = self.get(&format!("/o/{org}/settings")).await;
        settings.html.split("<dt>Id</dt><dd><code>").nth(1).unwrap()[..36].parse().unwrap()
    }

    /// Looks at a page.
    pub async fn get(&mut self, path: &str) -> Page {
        let request = self.request("GET", path).body(Body::empty()).unwrap();
        self.go(request).await
    }

    /// Sends a form with the token of the page that was last looked at.
    pub async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Page {
        let csrf = self.csrf.clone();
        let form = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("csrf", &csrf)
            .extend_pairs(fields)
            .finish();
        let request = self
            .request("POST", path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .body(Body::from(form))
            .unwrap();
        self.go(request).await
    }

    /// Adds Flowforge with an API key; the server's address.
    pub async fn server(&mut self, org: &str) -> String {
        self.server_named(org, "Flowforge").await
    }

    /// The same under another name.
    pub async fn server_named(&mut self, org: &str, name: &str) -> String {
        let upstream = self.site.upstream.clone();
        let new = format!("/o/{org}/servers/new");
        let fields = [
            ("name", name),
            ("upstream_url", upstream.as_str()),
            ("headers.0.name", "X-Api-Key"),
            ("headers.0.value", "upstream-secret-value"),
            ("do", "register"),
        ];
        self.get(&new).await;
        let page = self.submit(&new, &fields).await;
        assert_eq!(page.status, 200, "{}", page.html);
        page.path
    }

    /// Writes a policy for the server at this address; the policy's address.
    pub async fn policy(&mut self, server: &str, document: &str) -> String {
        let new = format!("{server}/policies/new");
        self.get(&new).await;
        let page = self.submit(&new, &[("name", "Support"), ("document", document), ("do", "save")]).await;
        assert_eq!(page.status, 200, "{}", page.html);
        page.path.split('?').next().unwrap().to_owned()
    }

    /// Mints a grant under a policy; its address and its token.
    pub async fn grant(&mut self, server: &str, policy: &str, label: &str) -> (String, String) {
        let new = format!("{server}/grants/new");
        self.get(&new).await;
        let policy = policy.rsplit('/').next().unwrap();
        let fields = [("label", label), ("identity", "ci@example.com"), ("policy_id", policy)];
        let page = self.submit(&new, &fields).await;
        assert_eq!(page.status, 200, "{}", page.html);
        let token = page.element("grant-token");
        let list = self.get(&format!("{server}/grants")).await;
        let at = list.hrefs().into_iter().find(|href| list.html.contains(&format!("\"{href}\">{label}</a>")));
        (at.expect("the grant is in the list"), token)
    }

    fn request(&self, method: &str, path: &str) -> http::request::Builder {
        let cookies: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "tollgate.example")
            .header(header::COOKIE, cookies.join("; "))
    }

    async fn go(&mut self, request: Request<Body>) -> Page {
        let mut page = self.site.send(request).await;
        self.keep(&page);
        for _ in 0..5 {
            let Some(to) = page.redirect() else { break };
            let request = self.request("GET", &to).body(Body::empty()).unwrap();
            page = self.site.send(request).await;
            self.keep(&page);
        }
        if let Some(csrf) = page.attribute("name=\"csrf\" value=\"") {
            self.csrf = csrf;
        }
        page
    }

    fn keep(&mut self, page: &Page) {
        for cookie in page.headers.get_all(header::SET_COOKIE) {
            let text = cookie.to_str().unwrap();
            let (name, value) = text.split(';').next().unwrap().split_once('=').unwrap();
            if text.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

impl Page {
    /// Where it sends the browser.
    pub fn redirect(&self) -> Option<String> {
        let to = self.headers.get(header::LOCATION)?.to_str().unwrap();
        Some(to.to_owned())
    }

    /// Fails, with the page, unless it says this.
    #[track_caller]
    pub fn says(&self, text: &str) -> &Self {
        assert!(self.html.contains(text), "{} does not say {text:?}:\n{}", self.path, self.main());
        self
    }

    /// Fails, with the page, if it says this.
    #[track_caller]
    pub fn never_says(&self, text: &str) -> &Self {
        assert!(!self.html.contains(text), "{} says {text:?}", self.path);
        self
    }

    /// Fails unless it has this status.
    #[track_caller]
    pub fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}:\n{}", self.path, self.main());
        self
    }

    /// What differs from page to page, for a failure's message.
    fn main(&self) -> &str {
        self.html.split_once("<main").map_or(&self.html, |(_, main)| main)
    }

    /// A header; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Every address that it links to.
    pub fn hrefs(&self) -> Vec<String> {
        let links = self.html.split(" href=\"").skip(1);
        links
            .map(|rest| rest.split('"').next().unwrap().replace("&amp;", "&").replace("&#38;", "&"))
            .collect()
    }

    /// The text of the element with this id, which has no element in it.
    pub fn element(&self, id: &str) -> String {
        let rest = self.html.split(&format!(" id=\"{id}\"")).nth(1).expect("the id is on the page");
        rest.split_once('>').unwrap().1.split('<').next().unwrap().to_owned()
    }

    /// What a browser sends with the form of this id, less its buttons and its token.
    pub fn fields(&self, form: &str) -> Vec<(String, String)> {
        let form = self
            .html
            .split(&format!("<form class=\"stack\" id=\"{form}\""))
            .nth(1)
            .expect("the form is on the page");
        let form = form.split("</form>").next().unwrap();
        let mut fields = Vec::new();
        for (at, _) in form.match_indices('<') {
            let (tag, rest) = form[at + 1..].split_once('>').unwrap();
            let Some(name) = attribute_of(tag, "name").filter(|name| name != "csrf") else { continue };
            let checkable = tag.contains("type=\"checkbox\"");
            match tag.split(' ').next().unwrap() {
                "input" if !checkable || tag.contains(" checked") => {
                    fields.push((name, attribute_of(tag, "value").unwrap_or_default()));
                }
                "textarea" => {
                    let text = rest.split("</textarea>").next().unwrap();
                    fields.push((name, unescaped(text.strip_prefix('\n').unwrap_or(text))));
                }
                "select" => {
                    let options: Vec<_> =
                        rest.split("</select>").next().unwrap().split("<option").skip(1).collect();
                    let chosen =
                        options.iter().find(|option| option.contains(" selected")).or(options.first());
                    let value = chosen.map(|option| {
                        attribute_of(option.split('>').next().unwrap(), "value").unwrap_or_else(|| {
                            option.split('>').nth(1).unwrap().split('<').next().unwrap().to_owned()
                        })
                    });
                    fields.push((name, value.unwrap_or_default()));
                }
                _ => {}
            }
        }
        fields
    }

    /// What stands between `before` and the next quote.
    pub fn attribute(&self, before: &str) -> Option<String> {
        Some(self.html.split(before).nth(1)?.split('"').next()?.to_owned())
    }
}

fn attribute_of(tag: &str, name: &str) -> Option<String> {
    Some(unescaped(tag.split(&format!(" {name}=\"")).nth(1)?.split('"').next()?))
}

fn unescaped(text: &str) -> String {
    [
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&lt;", "<"),
        ("&#60;", "<"),
        ("&gt;", ">"),
        ("&#62;", ">"),
        ("&#38;", "&"),
        ("&amp;", "&"),
    ]
    .iter()
    .fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// The address of a Flowforge of this test's own.
async fn upstream() -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = flowforge_sim::router(Engine::new(), Options::default());
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}/mcp")
}

fn openapi() -> serde_json::Value {
    serde_json::json!({
        "info": {"title": "Tollgate API", "version": "0", "description": "Manage servers."},
        "tags": [{"name": "servers", "description": "Upstreams."}],
        "paths": {"/api/v1/servers": {"get": {"tags": ["servers"], "operationId": "list_servers", "summary": "List servers",
            "responses": {"200": {"description": "All.", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Server"}}}}}}}},
        "components": {"schemas": {"Server": {"properties": {"name": {"type": "string"}}}}}
    })
}
