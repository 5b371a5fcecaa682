//! What every operation refuses in the same way: bodies, queries, paths, methods, credentials.

use axum::body::Body;
use axum::http::{Method, Request, header};
use insta::assert_snapshot;

use crate::{Answer, Api, shown};

async fn raw(api: &Api, token: &str, kind: &str, body: impl Into<Body>) -> Answer {
    let request = Request::post("/api/v1/keys")
        .header(header::AUTHORIZATION, format!("Bearer {token}"))
        .header(header::CONTENT_TYPE, kind)
        .body(body.into())
        .unwrap();
    api.send(request).await
}

#[tokio::test]
async fn a_body_must_be_declared_as_json() {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    for kind in ["text/plain", "application/x-www-form-urlencoded", "application/json; charset=latin1", ""] {
        let refused = raw(&api, &acme.owner, kind, "{}").await;
        assert_eq!(refused.status, 415, "{kind}");
    }
    let bare = Request::post("/api/v1/keys").header(header::AUTHORIZATION, format!("Bearer {}", acme.owner));
    let refused = api.send(bare.body(Body::from("{}")).unwrap()).await;
    assert_snapshot!(shown(&refused.expect(415)), @r#"
    {
      "type": "tag:tollgate.dev,2026:unsupported-media-type",
      "title": "The body is not declared as JSON",
      "status": 415,
      "detail": "set `Content-Type: application/json`",
      "request_id": "[id]"
    }
    "#);
    for kind in ["application/json", "Application/JSON; charset=UTF-8"] {
        raw(&api, &acme.owner, kind, "{}").await.expect(422);
    }
}

#[tokio::test]
async fn a_body_over_4_mib_is_refused() {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    let refused = raw(&api, &acme.owner, "application/json", " ".repeat(4 * 1024 * 1024 + 1)).await;
    assert_snapshot!(shown(&refused.expect(413)), @r#"
    {
      "type": "tag:tollgate.dev,2026:too-large",
      "title": "The body is too large",
      "status": 413,
      "detail": "the body has more than 4194304 bytes: send less",
      "request_id": "[id]"
    }
    "#);
    raw(&api, &acme.owner, "application/json", " ".repeat(4 * 1024 * 1024)).await.expect(400);
}

#[tokio::test]
async fn a_body_is_read_one_way_only() {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    let mut said = Vec::new();
    for body in [
        "",
        "{",
        r#"{"label": "a", "label": "b", "role": "viewer"}"#,
        r#"{"label": "a", "role": "viewer"} {}"#,
        r#"{"label": "\ud800", "role": "viewer"}"#,
        "{'label': 1}",
        &"[".repeat(100),
    ] {
        let refused = raw(&api, &acme.owner, "application/json", body.to_owned()).await;
        assert_eq!(refused.status, 400, "{body}");
        said.push(format!("{} | {}", refused.errors()[0], refused.body["detail"].as_str().unwrap()));
    }
    assert_snapshot!(said.join("\n"), @r"
     the text ends too early: close what is open | line 1, column 1: the text ends too early: close what is open
     the text ends too early: close what is open | line 1, column 2: the text ends too early: close what is open
    /label this key is here twice: remove one of them | line 1, column 16: this key is here twice: remove one of them
     there is more text behind the value: remove it | line 1, column 34: there is more text behind the value: remove it
    /label half of a surrogate pair: write both halves, or the character itself | line 1, column 12: half of a surrogate pair: write both halves, or the character itself
     this character can't stand here: expected a key in double quotes | line 1, column 2: this character can't stand here: expected a key in double quotes
    /0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0/0 nested too deep: flatten it to at most 64 levels | line 1, column 65: nested too deep: flatten it to at most 64 levels
    ");
    let refused = raw(&api, &acme.owner, "application/json", vec![b'"', 0xff, b'"']).await;
    assert_eq!(refused.status, 400);
}

#[tokio::test]
async fn a_query_is_as_strict_as_a_body() {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    let path = "/api/v1/admin-log?limit=0&cursor=x&limit=5&page=2&limit";
    let refused = api.get(path, &acme.owner).await;
    assert_eq!(refused.status, 400);
    assert_snapshot!(refused.errors().join("\n"), @r"
    limit is here twice: send it once
    page is not a parameter here: remove it, or use one of cursor, limit
    limit is here twice: send it once
    ");
    let refused = api.get("/api/v1/admin-log?limit=201&cursor=x", &acme.owner).await;
    assert_eq!(refused.status, 400);
    assert_snapshot!(refused.errors().join("\n"), @r"
    cursor `x` is not an id: ids look like 01890a5d-ac96-774b-bcce-b302099a8057
    limit must be a whole number from 1 to 200
    ");
}

#[tokio::test]
async fn an_address_that_is_not_there_is_said_so() {
    let api = Api::start().await;
    for path in ["/api/v1/nothing", "/api/v1/", "/api/v1/servers/x/nothing", "/api/v1/servers/"] {
        let refused = api.get(path, "").await;
        assert_eq!(refused.body["type"], "tag:tollgate.dev,2026:no-such-address", "{path}");
    }
    let refused = api.call(Method::DELETE, "/api/v1/servers", "", None).await;
    assert_eq!(refused.header("allow"), "GET,HEAD,POST");
    assert_snapshot!(shown(&refused.expect(405)), @r#"
    {
      "type": "tag:tollgate.dev,2026:method-not-allowed",
      "title": "The address has no such method",
      "status": 405,
      "detail": "use one of the methods in the `Allow` header",
      "request_id": "[id]"
    }
    "#);
}

#[tokio::test]
async fn an_id_that_can_not_be_read_names_nothing() {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    for id in ["x", "%ff", "01890a5dac96774bbcceb302099a8057", "..%2f..%2fkeys"] {
        let refused = api.get(&format!("/api/v1/servers/{id}"), &acme.owner).await;
        assert_eq!(refused.status, 404, "{id}");
    }
}

#[tokio::test]
async fn credentials_must_be_one_bearer_token() {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    let mut said = Vec::new();
    for values in [
        vec![],
        vec!["Basic YTpi".to_owned()],
        vec!["Bearer".to_owned()],
        vec!["Bearer ".to_owned()],
        vec![format!("Bearer {}", acme.owner), format!("Bearer {}", acme.owner)],
    ] {
        let mut request = Request::get("/api/v1/servers");
        for value in values {
            request = request.header(header::AUTHORIZATION, value);
        }
        let refused = api.send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(refused.header("www-authenticate"), r#"Bearer realm="tollgate""#);
        said.push(refused.expect(401)["detail"].as_str().unwrap().to_owned());
    }
    assert_snapshot!(said.join("\n"), @r"
    send `Authorization: Bearer <API key or access token>`
    `Authorization` must read `Bearer <API key or access token>`
    `Authorization` must read `Bearer <API key or access token>`
    `Authorization` must read `Bearer <API key or access token>`
    send one `Authorization` header, not several
    ");
    let lower =
        Request::get("/api/v1/servers").header(header::AUTHORIZATION, format!("bearer {}", acme.owner));
    api.send(lower.body(Body::empty()).unwrap()).await.expect(200);
}

#[tokio::test]
async fn a_service_that_is_away_is_said_in_words_without_its_address() {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    api.database.storage.close().await;
    let refused = api.get("/api/v1/servers", &acme.owner).await;
    assert_eq!(refused.header("retry-after"), "10");
    assert_snapshot!(shown(&refused.expect(503)), @r#"
    {
      "type": "tag:tollgate.dev,2026:unavailable",
      "title": "A service behind this one is away",
      "status": 503,
      "detail": "the database does not answer: try again in a minute",
      "request_id": "[id]"
    }
    "#);
}

#[tokio::test]
async fn a_fault_of_ours_shows_a_request_id_and_nothing_else() {
    let api = Api::start().await;
    let acme = api.organisation("Acme").await;
    let mut owner = api.database.owner().await;
    sqlx::query("ALTER TABLE servers RENAME TO elsewhere").execute(&mut owner).await.unwrap();
    let refused = api.get("/api/v1/servers", &acme.owner).await;
    assert_snapshot!(shown(&refused.expect(500)), @r#"
    {
      "type": "tag:tollgate.dev,2026:internal",
      "title": "A fault of this service",
      "status": 500,
      "detail": "try again; if it stays, name the request id to whoever runs this service",
      "request_id": "[id]"
    }
    "#);
}
