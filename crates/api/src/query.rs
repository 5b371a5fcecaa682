//! Query parameters: each known, each once, and all that are wrong said at once.

use std::fmt::Display;
use std::str::FromStr;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use control::FieldProblem;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use utoipa::IntoParams;
use utoipa::openapi::path::ParameterIn;

use crate::ApiState;
use crate::problem::Problem;

/// The query as `T`, whose fields are all `Option<String>`: what they mean is read by [`Reader`].
pub(crate) struct Parameters<T>(pub T);

impl<T: DeserializeOwned + IntoParams> FromRequestParts<ApiState> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &ApiState) -> Result<Self, Problem> {
        let known: Vec<_> =
            T::into_params(|| Some(ParameterIn::Query)).into_iter().map(|parameter| parameter.name).collect();
        let pairs = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri)
            .map_err(|_| one("", "the query is not percent-encoded UTF-8: encode it"))?;

        let mut reader = Reader::default();
        let mut found = Map::new();
        for (name, text) in pairs.0 {
            if !known.contains(&name) {
                let message = match known.as_slice() {
                    [] => "is not a parameter here: remove it".to_owned(),
                    known => {
                        format!("is not a parameter here: remove it, or use one of {}", known.join(", "))
                    }
                };
                reader.refuse(&name.chars().take(80).collect::<String>(), &message);
            } else if found.insert(name.clone(), Value::String(text)).is_some() {
                reader.refuse(&name, &"is here twice: send it once");
            }
        }
        reader.finish()?;
        serde_json::from_value(Value::Object(found)).map(Self).map_err(|_| one("", "the query can't be read"))
    }
}

/// Reads parameters into domain types and collects what is wrong.
#[derive(Default)]
pub(crate) struct Reader(Vec<FieldProblem>);

impl Reader {
    /// The parameter's value, where it was sent and can be read.
    pub(crate) fn read<T: FromStr<Err: Display>>(&mut self, name: &str, text: Option<&str>) -> Option<T> {
        text?.parse().map_err(|error: T::Err| self.refuse(name, &error)).ok()
    }

    /// A time of RFC 3339.
    pub(crate) fn time(&mut self, name: &str, text: Option<&str>) -> Option<chrono::DateTime<chrono::Utc>> {
        let text = text?;
        let read = chrono::DateTime::parse_from_rfc3339(text).map(|time| time.to_utc());
        let message = format!("`{text}` is not a time: write it like 2026-10-04T12:00:00Z");
        read.map_err(|_| self.refuse(name, &message)).ok()
    }

    /// A whole number in a range.
    pub(crate) fn number(
        &mut self,
        name: &str,
        text: Option<&str>,
        range: std::ops::RangeInclusive<u32>,
    ) -> Option<u32> {
        let text = text?;
        let number = text.parse().ok().filter(|number| range.contains(number));
        if number.is_none() {
            let message = format!("must be a whole number from {} to {}", range.start(), range.end());
            self.refuse(name, &message);
        }
        number
    }

    /// Notes a problem.
    pub(crate) fn refuse(&mut self, name: &str, message: &dyn Display) {
        self.0.push(FieldProblem { pointer: name.to_owned(), message: message.to_string() });
    }

    /// Everything that was wrong, if anything was.
    pub(crate) fn finish(self) -> Result<(), Problem> {
        if self.0.is_empty() { Ok(()) } else { Err(Problem::Parameters(self.0)) }
    }
}

fn one(name: &str, message: &str) -> Problem {
    Problem::Parameters(vec![FieldProblem { pointer: name.to_owned(), message: message.to_owned() }])
}
