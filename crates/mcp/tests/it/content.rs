//! Content types, of requests and of upstream responses.

use mcp::headers::{Content, check_content, content_of};

use crate::headers;

#[test]
fn only_json_in_utf8_is_read() {
    let refused = |value: &str| {
        check_content(&headers(&[("content-type", value)])).err().map(|found| found.http_status)
    };
    for good in [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/json;charset=\"UTF-8\"",
        "application/json ; profile=x",
    ] {
        assert_eq!(refused(good), None, "{good}");
    }
    for bad in [
        "",
        "text/plain",
        "text/json",
        "application/json, text/plain",
        "application/jsonx",
        "application/x-www-form-urlencoded",
        "application/json; charset=utf-16",
        "application/json; charset=iso-8859-1",
        "application/json; charset=utf-8; charset=utf-7",
        "application/json; charset = utf-7",
        "application/json; x=\"; charset=utf-16\"",
    ] {
        assert_eq!(refused(bad).map(|status| status.as_u16()), Some(415), "{bad}");
    }
    assert_eq!(check_content(&headers::<&str, &str>(&[])).expect_err("no type").http_status, 415);
}

#[test]
fn an_encoded_body_is_refused() {
    for encoding in ["gzip", "br", "identity", ""] {
        let pairs = [("content-type", "application/json"), ("content-encoding", encoding)];
        let refused = check_content(&headers(&pairs)).expect_err(encoding);
        assert_eq!((refused.http_status.as_u16(), refused.reason), (415, "content encoding"));
    }
}

#[test]
fn a_repeated_header_is_refused() {
    for name in [
        "content-type",
        "authorization",
        "mcp-session-id",
        "last-event-id",
        "host",
        "origin",
        "content-encoding",
    ] {
        let pairs =
            [("content-type", "application/json"), (name, "application/json"), (name, "application/json")];
        let refused = check_content(&headers(&pairs)).expect_err(name);
        assert_eq!((refused.http_status.as_u16(), refused.reason), (400, "repeated header"), "{name}");
    }
}

#[test]
fn what_an_upstream_answers_is_told_apart() {
    let of = |value: &str| content_of(&headers(&[("content-type", value)]));
    assert_eq!(of("application/json"), Ok(Content::Json));
    assert_eq!(of("text/event-stream; charset=utf-8"), Ok(Content::Events));
    assert_eq!(of("text/html"), Ok(Content::Other));
    assert_eq!(of("application/json; charset=utf-16"), Ok(Content::Other));
    assert_eq!(content_of(&headers::<&str, &str>(&[])), Ok(Content::Other));
    let json = ("content-type", "application/json");
    assert_eq!(content_of(&headers(&[json, ("content-encoding", "identity")])), Ok(Content::Json));
    assert!(content_of(&headers(&[json, ("content-encoding", "gzip")])).is_err());
    assert!(content_of(&headers(&[json, json])).is_err());
}
