//! Query parameters: each known, each once, and all that are wrong said at once.

use std::fmt::Display;
use std::str::FromStr;

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use control::FieldProblem;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use utoipa::IntoParams;
use utoipa::openapi::path::{Parameter, ParameterIn};

use crate::problem::Problem;

/// The most items of a page.
const MOST_ITEMS: u16 = 200;

/// The query as `T`, whose fields are all `Option<String>`: what they mean is read by [`Reader`].
pub(crate) struct Parameters<T>(pub T);

impl<T: DeserializeOwned + IntoParams, S: Sync> FromRequestParts<S> for Parameters<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
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

/// Two sets of parameters in one query.
#[derive(Deserialize)]
pub(crate) struct Both<A, B> {
    #[serde(flatten)]
    pub first: A,
    #[serde(flatten)]
    pub second: B,
}

impl<A: IntoParams, B: IntoParams> IntoParams for Both<A, B> {
    fn into_params(place: impl Fn() -> Option<ParameterIn>) -> Vec<Parameter> {
        let mut all = A::into_params(&place);
        all.extend(B::into_params(&place));
        all
    }
}

/// Which page of a list.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct PageQuery {
    /// `next` of the page before.
    pub cursor: Option<String>,
    /// How many items at most; 50 when left out.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 200)]
    pub limit: Option<String>,
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

    /// A version of a policy; must be sent.
    pub(crate) fn version(&mut self, name: &str, text: Option<&str>) -> Option<u32> {
        let Some(text) = text else {
            self.refuse(name, &"is missing: add it");
            return None;
        };
        let number = text.parse().ok().filter(|number| *number >= 1);
        if number.is_none() {
            self.refuse(name, &"must be a whole number from 1");
        }
        number
    }

    /// How many items a page may have: 50 when not said.
    pub(crate) fn limit(&mut self, text: Option<&str>) -> u16 {
        match text.map(str::parse) {
            None => 50,
            Some(Ok(limit)) if (1..=MOST_ITEMS).contains(&limit) => limit,
            Some(_) => {
                self.refuse("limit", &format!("must be a whole number from 1 to {MOST_ITEMS}"));
                0
            }
        }
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
