//! A submitted form: what was typed, and what is wrong with it, field by field, until it is shown again.

use std::convert::Infallible;
use std::fmt::Display;

use axum::extract::FromRequestParts;
use http::request::Parts;

use crate::error::ErrorPage;

/// Typed values in the order of the page, and problems by field. The field `""` stands for the form as a whole.
///
/// As an extractor it gives the form that [`crate::guard`] has read and checked; there is no other way to one, so
/// no handler can act on a form whose token was not checked.
#[derive(Clone, Debug, Default)]
pub struct Form {
    values: Vec<(String, String)>,
    problems: Vec<(String, String)>,
}

impl Form {
    /// A form as the page first shows it.
    pub fn with<const N: usize>(values: [(&str, &str); N]) -> Self {
        let values = values.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        Self { values, problems: Vec::new() }
    }

    /// Reads `application/x-www-form-urlencoded`. Line ends become `\n`: browsers send `\r\n`.
    pub fn read(body: &[u8]) -> Self {
        let values = url::form_urlencoded::parse(body)
            .map(|(name, value)| (name.into_owned(), value.replace("\r\n", "\n")))
            .collect();
        Self { values, problems: Vec::new() }
    }

    /// The typed value, or nothing.
    pub fn value(&self, name: &str) -> &str {
        self.values.iter().find(|(field, _)| field == name).map_or("", |(_, value)| value)
    }

    /// The typed value; nothing where the field was left empty.
    pub fn given(&self, name: &str) -> Option<String> {
        Some(self.value(name)).filter(|value| !value.trim().is_empty()).map(str::to_owned)
    }

    /// Every value of a field that can be chosen several times.
    pub fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.values.iter().filter(move |(field, _)| field == name).map(|(_, value)| value.as_str())
    }

    /// All values, in order.
    pub fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.values.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The field was sent, even if nothing is typed in it.
    pub fn has(&self, name: &str) -> bool {
        self.values.iter().any(|(field, _)| field == name)
    }

    /// Forgets what was typed in fields.
    pub fn forget(&mut self, which: impl Fn(&str) -> bool) {
        self.values.retain(|(field, _)| !which(field));
    }

    /// Replaces what was typed.
    pub fn put(&mut self, name: &str, value: String) {
        self.values.retain(|(field, _)| field != name);
        self.values.push((name.to_owned(), value));
    }

    /// Notes what is wrong with a field.
    pub fn refuse(&mut self, name: &str, problem: &dyn Display) {
        self.problems.push((name.to_owned(), problem.to_string()));
    }

    /// Takes in what an operation refused, each problem at its field; any other error stays an error.
    pub fn absorb(&mut self, error: control::Error) -> Result<(), ErrorPage> {
        match error {
            control::Error::Invalid(problems) => {
                for problem in problems {
                    self.refuse(&field_name(&problem.pointer), &problem.message);
                }
            }
            control::Error::Conflict(conflict) => self.refuse("", &conflict),
            error @ (control::Error::Unauthenticated | control::Error::TooManyAttempts { .. }) => {
                self.refuse("", &error);
            }
            error => return Err(error.into()),
        }
        Ok(())
    }

    /// Nothing is wrong so far.
    pub fn is_clean(&self) -> bool {
        self.problems.is_empty()
    }

    /// What is wrong with a field.
    pub fn problems(&self, name: &str) -> impl Iterator<Item = &str> {
        self.problems.iter().filter(move |(field, _)| field == name).map(|(_, problem)| problem.as_str())
    }

    /// Every problem with its field.
    pub fn all_problems(&self) -> Vec<(String, String)> {
        self.problems.clone()
    }

    /// Something is wrong with the field.
    pub fn has_problem(&self, name: &str) -> bool {
        self.problems(name).next().is_some()
    }

    /// The field is the first on the page that something is wrong with: it gets the focus.
    pub fn is_first(&self, name: &str) -> bool {
        let at = |field: &str| self.values.iter().position(|(value, _)| value == field).unwrap_or(usize::MAX);
        self.problems.iter().min_by_key(|(field, _)| at(field)).is_some_and(|(field, _)| field == name)
    }
}

/// The field of a JSON Pointer into an operation's input: `/headers/0/name` is `headers.0.name`.
fn field_name(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".")
}

impl<S: Sync> FromRequestParts<S> for Form {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.remove().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_comes_back_and_the_first_problem_is_known() {
        let mut form = Form::read(b"label=+&identity=ada%40example.com&max=ten&text=a%0D%0Ab");
        assert_eq!(form.value("text"), "a\nb");
        form.refuse("max", &"is not a number");
        form.refuse("label", &"must not be empty");
        assert!(form.is_first("label") && !form.is_first("max") && form.has_problem("max"));
        assert_eq!(form.value("max"), "ten");
    }
}
