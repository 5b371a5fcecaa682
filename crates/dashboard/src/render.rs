//! From a template to an answer.

use askama::Template;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;

/// A page, rendered when it is answered with.
#[derive(Debug)]
pub struct Page<T>(pub T);

impl<T: Template> IntoResponse for Page<T> {
    fn into_response(self) -> Response {
        match self.0.render() {
            Ok(html) => ([(CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response(),
            Err(error) => {
                // The error page is a template too: it must not be asked to say that templates fail.
                tracing::error!(%error, "a template failed");
                StatusCode::INTERNAL_SERVER_ERROR.into_response()
            }
        }
    }
}

/// A part of a page as text; nothing, and a line in our log, where the template fails.
pub fn text(template: &impl Template) -> Option<String> {
    template.render().inspect_err(|error| tracing::error!(%error, "a template failed")).ok()
}

/// A form that is shown again because of what is wrong with it.
pub fn refused<T: Template>(page: T) -> Response {
    (StatusCode::UNPROCESSABLE_ENTITY, Page(page)).into_response()
}
