//! What is answered instead of a page: one enum, one place where it becomes HTML.

use std::time::Duration;

use axum::response::{IntoResponse, Redirect, Response};
use control::{Conflict, Service};
use domain::Role;
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};

use crate::pages::ErrorTemplate;
use crate::render::Page;
use crate::request_id;

/// Why there is no page. Each says in words what happened and what to do.
#[derive(Debug, thiserror::Error)]
pub enum ErrorPage {
    /// No such page, or of another organisation.
    #[error("there is nothing at this address")]
    NotFound,
    /// The role is too low.
    #[error("this needs the role `{needs}`: ask an owner of the organisation")]
    Forbidden {
        /// The lowest role that may.
        needs: Role,
    },
    /// Nobody is logged in.
    #[error("log in first")]
    LogIn {
        /// Where to go on afterwards.
        next: Option<String>,
    },
    /// A form from elsewhere, or from a session that has ended. Nothing was done.
    #[error("this form is too old or came from another site: go back, reload the page and send it again")]
    ForeignForm,
    /// A body that is not a form.
    #[error("this address takes forms only")]
    NotAForm,
    /// A form over 1 MiB.
    #[error("this form is larger than 1 MiB: shorten it")]
    TooLarge,
    /// The state of things is against it.
    #[error("{0}")]
    Conflict(Conflict),
    /// An input that no field of a form stands for.
    #[error("{0}")]
    Invalid(String),
    /// A service is away.
    #[error("{0}: try again in a minute")]
    Unavailable(Service),
    /// Too many tries at something that can be guessed.
    #[error("too many attempts: try again in {} minutes", .0.as_secs().div_ceil(60))]
    TooManyAttempts(Duration),
    /// A fault of ours: logged, never shown.
    #[error("something failed on our side: it is logged under the request id below")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl From<control::Error> for ErrorPage {
    fn from(error: control::Error) -> Self {
        match error {
            control::Error::NotFound => Self::NotFound,
            control::Error::Forbidden { needs } => Self::Forbidden { needs },
            control::Error::Unauthenticated | control::Error::PeopleOnly => Self::LogIn { next: None },
            control::Error::Conflict(conflict) => Self::Conflict(conflict),
            control::Error::Unavailable(service) => Self::Unavailable(service),
            control::Error::TooManyAttempts { retry_after } => Self::TooManyAttempts(retry_after),
            control::Error::Invalid(problems) => Self::Invalid(
                problems.into_iter().map(|problem| problem.message).collect::<Vec<_>>().join("; "),
            ),
            control::Error::InvalidPolicy(problems) => Self::Invalid(
                problems.into_iter().map(|problem| problem.message).collect::<Vec<_>>().join("; "),
            ),
            control::Error::Internal(source) => Self::Internal(source),
        }
    }
}

impl ErrorPage {
    /// Status and title.
    fn head(&self) -> (StatusCode, &'static str) {
        match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "Not found"),
            Self::Forbidden { .. } => (StatusCode::FORBIDDEN, "Not allowed"),
            Self::LogIn { .. } => (StatusCode::SEE_OTHER, "Log in"),
            Self::ForeignForm => (StatusCode::FORBIDDEN, "Form refused"),
            Self::NotAForm => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "Not a form"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "Too large"),
            Self::Conflict(_) => (StatusCode::CONFLICT, "Changed in the meantime"),
            Self::Invalid(_) => (StatusCode::UNPROCESSABLE_ENTITY, "Can't be taken"),
            Self::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "Not available"),
            Self::TooManyAttempts(_) => (StatusCode::TOO_MANY_REQUESTS, "Too many attempts"),
            Self::Internal(_) => (StatusCode::INTERNAL_SERVER_ERROR, "Internal error"),
        }
    }
}

impl IntoResponse for ErrorPage {
    fn into_response(self) -> Response {
        if let Self::LogIn { next } = &self {
            return Redirect::to(&log_in_address(next.as_deref())).into_response();
        }
        if let Self::Internal(source) = &self {
            tracing::error!(request_id = %request_id::current(), error = ?source, "a page failed");
        }
        let (status, title) = self.head();
        let template = ErrorTemplate {
            status: status.as_u16(),
            title,
            message: self.to_string(),
            request_id: request_id::current(),
        };
        let mut response = (status, Page(template)).into_response();
        if let Self::TooManyAttempts(wait) = self {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(wait.as_secs()));
        }
        response
    }
}

fn log_in_address(next: Option<&str>) -> String {
    match next {
        Some(next) => {
            let query =
                url::form_urlencoded::Serializer::new(String::new()).append_pair("next", next).finish();
            format!("/login?{query}")
        }
        None => "/login".to_owned(),
    }
}
