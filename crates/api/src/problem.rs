//! Refusals, as RFC 9457 has them. The one place where an error becomes a response; a fault of ours is logged here and
//! shows nothing but the request id.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use control::{DocumentProblem, FieldProblem};
use serde::Serialize;
use utoipa::ToSchema;

/// The media type of every refusal.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// Why a request was refused.
#[derive(Debug)]
pub(crate) enum Problem {
    /// What the operation said.
    Control(control::Error),
    /// The body is not JSON that is read the same way by everybody.
    NotJson(json::Error, json::LineColumn),
    /// Fields of the body that can't be taken.
    Fields(Vec<FieldProblem>),
    /// Parameters of the query that can't be taken; `pointer` is the parameter's name.
    Parameters(Vec<FieldProblem>),
    /// No usable `Authorization`; says what is wrong with it.
    Credentials(&'static str),
    /// No route of that path.
    NoRoute,
    /// The path has no such method.
    Method,
    /// The body is longer than this many bytes.
    TooLarge(usize),
    /// The body is not declared as JSON.
    MediaType,
    /// The connection broke while the body was read.
    Cut,
}

/// A refusal on the wire (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Document {
    /// What kind of problem: a `tag:` URI, listed in the guide.
    #[serde(rename = "type")]
    #[schema(example = "tag:tollgate.dev,2026:invalid-fields")]
    kind: String,
    /// The kind in words; the same for every problem of the kind.
    title: &'static str,
    /// The HTTP status.
    #[schema(example = 422)]
    status: u16,
    /// What was wrong this time, and how to mend it.
    detail: String,
    /// Name it when you ask for help: it is in our logs.
    request_id: String,
    /// Everything that is wrong, each at its place.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<At>,
}

/// One thing that is wrong, at its place.
#[derive(Debug, Default, Serialize, ToSchema)]
#[schema(as = ProblemAt)]
pub(crate) struct At {
    /// JSON Pointer (RFC 6901) into the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "/upstream_url")]
    pointer: Option<String>,
    /// Name of the query parameter.
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<String>,
    /// What is wrong and how to mend it.
    #[schema(example = "must not be empty: type at least one character")]
    detail: String,
    /// In a policy document: the line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    /// In a policy document: the character in the line, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<u32>,
    /// In a policy document: a word for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
}

impl Problem {
    /// Status, slug of the type, title.
    fn kind(&self) -> (StatusCode, &'static str, &'static str) {
        use control::Error;
        match self {
            Self::NotJson(..) => (StatusCode::BAD_REQUEST, "invalid-json", "The body is not strict JSON"),
            Self::Cut => (StatusCode::BAD_REQUEST, "incomplete-body", "The body ended early"),
            Self::Parameters(_) => {
                (StatusCode::BAD_REQUEST, "invalid-parameters", "Some parameters can't be taken")
            }
            Self::Fields(_) | Self::Control(Error::Invalid(_)) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "invalid-fields", "Some fields can't be taken")
            }
            Self::Control(Error::InvalidPolicy(_)) => {
                (StatusCode::UNPROCESSABLE_ENTITY, "invalid-policy", "The policy can't be saved")
            }
            Self::Credentials(_) | Self::Control(Error::Unauthenticated) => {
                (StatusCode::UNAUTHORIZED, "unauthenticated", "Valid credentials are needed")
            }
            Self::Control(Error::Forbidden { .. } | Error::PeopleOnly) => {
                (StatusCode::FORBIDDEN, "forbidden", "The credentials are not enough for this")
            }
            Self::Control(Error::NotFound) => {
                (StatusCode::NOT_FOUND, "not-found", "There is no such thing here")
            }
            Self::NoRoute => (StatusCode::NOT_FOUND, "no-such-address", "There is nothing at this address"),
            Self::Method => {
                (StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "The address has no such method")
            }
            Self::Control(Error::Conflict(_)) => {
                (StatusCode::CONFLICT, "conflict", "The state of things is against it")
            }
            Self::TooLarge(_) => (StatusCode::PAYLOAD_TOO_LARGE, "too-large", "The body is too large"),
            Self::MediaType => (
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "The body is not declared as JSON",
            ),
            Self::Control(Error::TooManyAttempts { .. }) => {
                (StatusCode::TOO_MANY_REQUESTS, "too-many-attempts", "Too many attempts")
            }
            Self::Control(Error::Unavailable(_)) => {
                (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "A service behind this one is away")
            }
            Self::Control(Error::Internal(_)) => {
                (StatusCode::INTERNAL_SERVER_ERROR, "internal", "A fault of this service")
            }
        }
    }

    fn detail(&self) -> String {
        use control::Error;
        match self {
            Self::NotJson(error, at) => format!("line {}, column {}: {}", at.line, at.column, error.kind),
            Self::Cut => "the connection broke before the body was complete: send it again".to_owned(),
            Self::Fields(list) | Self::Parameters(list) | Self::Control(Error::Invalid(list)) => {
                match list.as_slice() {
                    [one] => format!("`{}` {}", one.pointer, one.message),
                    many => format!("{} things are wrong: see `errors`", many.len()),
                }
            }
            Self::Control(Error::InvalidPolicy(list)) => {
                format!("the document has {} problems: see `errors`", list.len())
            }
            Self::Control(Error::Unauthenticated) => {
                "the credentials are wrong, expired or revoked: make new ones".to_owned()
            }
            Self::Control(Error::Internal(_)) => {
                "try again; if it stays, name the request id to whoever runs this service".to_owned()
            }
            Self::Control(error) => error.to_string(),
            Self::Credentials(detail) => (*detail).to_owned(),
            Self::NoRoute => "look the address up in /api/v1/openapi.json".to_owned(),
            Self::Method => "use one of the methods in the `Allow` header".to_owned(),
            Self::TooLarge(limit) => format!("the body has more than {limit} bytes: send less"),
            Self::MediaType => "set `Content-Type: application/json`".to_owned(),
        }
    }

    fn errors(&self) -> Vec<At> {
        use control::Error;
        match self {
            Self::NotJson(error, _) => {
                vec![At {
                    pointer: Some(error.pointer.clone()),
                    detail: error.kind.to_string(),
                    ..At::default()
                }]
            }
            Self::Fields(list) | Self::Control(Error::Invalid(list)) => list.iter().map(At::field).collect(),
            Self::Parameters(list) => list.iter().map(At::parameter).collect(),
            Self::Control(Error::InvalidPolicy(list)) => list.iter().map(At::document).collect(),
            _ => Vec::new(),
        }
    }

    /// `WWW-Authenticate` (RFC 6750, 3) and `Retry-After` (RFC 9110, 10.2.3), in seconds.
    fn headers(&self) -> HeaderMap {
        use control::Error;
        let mut headers = HeaderMap::new();
        match self {
            Self::Credentials(_) => {
                headers
                    .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(r#"Bearer realm="tollgate""#));
            }
            Self::Control(Error::Unauthenticated) => {
                let challenge = r#"Bearer realm="tollgate", error="invalid_token""#;
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
            }
            Self::Control(Error::TooManyAttempts { retry_after }) => {
                headers.insert(header::RETRY_AFTER, retry_after.as_secs().max(1).into());
            }
            Self::Control(Error::Unavailable(_)) => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from_static("10"));
            }
            _ => {}
        }
        headers
    }

    /// Puts the refusal into the response that carries it: the request id is known by now. Logs a fault of ours.
    pub(crate) fn render(&self, request_id: &str) -> Response {
        let (status, slug, title) = self.kind();
        if let Self::Control(control::Error::Internal(source)) = self {
            let error: &(dyn std::error::Error + 'static) = &**source;
            tracing::error!(request_id, error, "an operation of the API failed");
        }
        let document = Document {
            kind: format!("tag:tollgate.dev,2026:{slug}"),
            title,
            status: status.as_u16(),
            detail: self.detail(),
            request_id: request_id.to_owned(),
            errors: self.errors(),
        };
        let mut response = (status, self.headers(), axum::Json(document)).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        response
    }
}

impl At {
    fn field(problem: &FieldProblem) -> Self {
        Self { pointer: Some(problem.pointer.clone()), detail: problem.message.clone(), ..Self::default() }
    }

    fn parameter(problem: &FieldProblem) -> Self {
        Self { parameter: Some(problem.pointer.clone()), detail: problem.message.clone(), ..Self::default() }
    }

    fn document(problem: &DocumentProblem) -> Self {
        Self {
            pointer: Some(format!("/document{}", problem.pointer)),
            detail: problem.message.clone(),
            line: Some(problem.line),
            column: Some(problem.column),
            code: Some(problem.code.clone()),
            parameter: None,
        }
    }
}

impl From<control::Error> for Problem {
    fn from(error: control::Error) -> Self {
        Self::Control(error)
    }
}

impl IntoResponse for Problem {
    /// An empty response that carries the problem; `request::identify` renders it, since it knows the request id.
    fn into_response(self) -> Response {
        let mut response = self.kind().0.into_response();
        response.extensions_mut().insert(Arc::new(self));
        response
    }
}
