//! The OpenAPI 3.1 document: collected from the routes, with what all operations have in common added here once.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use utoipa::openapi::path::Operation;
use utoipa::openapi::schema::Components;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{ContentBuilder, Info, License, OpenApi, Ref, RefOr, Response, ResponseBuilder, Tag};
use utoipa::{IntoResponses, PartialSchema, ToSchema};

use crate::{problem, routes};

/// Credentials of an organisation: an API key or an access token.
pub(crate) const BEARER: &str = "bearer";
/// A person's session token.
pub(crate) const SESSION: &str = "session";

/// Refusals that operations share: name of the component, status, sentence.
const REFUSALS: [(&str, &str, &str); 11] = [
    ("InvalidJson", "400", "The body is not strict JSON, or a parameter can't be taken."),
    ("Unauthenticated", "401", "The credentials are missing, wrong, expired or revoked."),
    ("Forbidden", "403", "The credentials are valid, but not enough for this."),
    ("NotFound", "404", "There is no such thing in this organisation."),
    ("Conflict", "409", "The state of things is against it."),
    ("TooLarge", "413", "The body has more than 4 MiB."),
    ("UnsupportedMediaType", "415", "The body is not declared as `application/json`."),
    ("InvalidFields", "422", "Fields can't be taken: each is named by a JSON Pointer."),
    ("TooManyAttempts", "429", "Too many attempts: wait for `Retry-After` seconds."),
    ("Internal", "500", "A fault of this service; the request id is in its log."),
    ("Unavailable", "503", "A service behind this one is away: try again after `Retry-After` seconds."),
];

macro_rules! named_refusals {
    ($($(#[$doc:meta])* $name:ident $status:literal;)*) => {$(
        $(#[$doc])*
        pub(crate) struct $name;

        impl IntoResponses for $name {
            fn responses() -> BTreeMap<String, RefOr<Response>> {
                let reference = RefOr::Ref(Ref::from_response_name(stringify!($name)));
                BTreeMap::from([($status.to_owned(), reference)])
            }
        }
    )*};
}

named_refusals! {
    /// For operations that the state of things can be against.
    Conflict "409";
    /// For operations where something can be guessed.
    TooManyAttempts "429";
    /// For operations that are refused for who asks in a way of their own.
    Unauthenticated "401";
}

const TAGS: [(&str, &str); 9] = [
    ("accounts", "Signing up, logging in, access tokens."),
    ("organisations", "The organisation that is acted in, its members and API keys."),
    ("servers", "Upstream MCP servers, their credentials and tools."),
    ("policies", "What agents may do: documents, versions, trying out."),
    ("grants", "The tokens that agents call with."),
    ("approvals", "Calls that wait for a person, and what a person says of them."),
    ("audit", "The log of every decision."),
    ("admin log", "Who changed what."),
    ("about", "This document, and the keys that access tokens are signed with."),
];

/// The document as JSON.
pub(crate) fn json() -> &'static serde_json::Value {
    static DOCUMENT: OnceLock<serde_json::Value> = OnceLock::new();
    // INVARIANT: the document is made of strings and maps with text keys, which always become JSON.
    DOCUMENT.get_or_init(|| serde_json::to_value(build()).unwrap_or_default())
}

fn build() -> OpenApi {
    let (_, mut document) = routes::all().split_for_parts();
    document.info = Info::new("Tollgate API", env!("CARGO_PKG_VERSION"));
    document.info.description = Some(
        "Manage servers, policies and grants, and read the log of every decision. Send an API key or an access \
         token as `Authorization: Bearer ...`. Refusals are problem documents (RFC 9457)."
            .to_owned(),
    );
    document.info.license =
        Some(License::builder().name("Apache-2.0").identifier(Some("Apache-2.0")).build());
    document.tags = Some(TAGS.iter().map(|(name, description)| tag(name, description)).collect());
    document.security = Some(vec![SecurityRequirement::new(BEARER, Vec::<String>::new())]);

    for (path, item) in &mut document.paths.paths {
        let named = path.contains('{');
        let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch];
        for operation in operations.into_iter().flatten() {
            add_refusals(operation, named);
        }
    }
    let components = document.components.get_or_insert_default();
    add_schemas(components);
    for (name, _, sentence) in REFUSALS {
        components.responses.insert(name.to_owned(), RefOr::T(refusal(sentence)));
    }
    for (name, description) in [
        (BEARER, "An API key (`tg_key_...`), or an access token from `POST /api/v1/tokens`."),
        (SESSION, "The session token (`tg_session_...`) from `POST /api/v1/sessions`."),
    ] {
        let mut scheme = Http::new(HttpAuthScheme::Bearer);
        scheme.description = Some(description.to_owned());
        components.security_schemes.insert(name.to_owned(), RefOr::T(SecurityScheme::Http(scheme)));
    }
    document
}

/// Refers to every refusal that follows from the shape of an operation: what it takes, and whether it asks who calls.
fn add_refusals(operation: &mut Operation, named: bool) {
    let public =
        operation.security.as_ref().is_some_and(|needs| needs.contains(&SecurityRequirement::default()));
    let by_person = operation.security.is_some() && !public;
    let has_query = operation.parameters.iter().flatten().any(|parameter| match parameter {
        RefOr::T(parameter) => parameter.parameter_in == utoipa::openapi::path::ParameterIn::Query,
        RefOr::Ref(_) => false,
    });
    let has_body = operation.request_body.is_some();
    for (name, status, _) in REFUSALS {
        let applies = match status {
            "400" => has_body || has_query,
            "401" => !public,
            "403" => !public && !by_person,
            "404" => named,
            "413" | "415" | "422" => has_body,
            "409" | "429" => false,
            _ => true,
        };
        if applies {
            let reference = RefOr::Ref(Ref::from_response_name(name));
            operation.responses.responses.entry(status.to_owned()).or_insert(reference);
        }
    }
}

fn add_schemas(components: &mut Components) {
    let mut nested = Vec::new();
    problem::Document::schemas(&mut nested);
    components.schemas.extend(nested);
    components.schemas.insert(problem::Document::name().into_owned(), problem::Document::schema());
}

fn refusal(sentence: &str) -> Response {
    let schema = Ref::from_schema_name(problem::Document::name());
    let content = ContentBuilder::new().schema(Some(schema)).build();
    ResponseBuilder::new().description(sentence).content(problem::MEDIA_TYPE, content).build()
}

fn tag(name: &str, description: &str) -> Tag {
    TagBuilder::new().name(name).description(Some(description)).build()
}
