//! Servers that are known by name, and what is known about their tools.

use serde::Serialize;
use utoipa::ToSchema;

use crate::Control;

/// A known server: fills in the form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct CatalogueEntry {
    /// `flowforge-demo`.
    pub id: String,
    /// What to call it.
    pub name: String,
    /// One sentence.
    pub description: String,
    /// Where it is.
    pub upstream_url: String,
    /// Names of the headers that it wants, such as `X-Api-Key`.
    pub headers: Vec<String>,
}

impl Control {
    /// What can be registered with one click.
    pub fn catalogue(&self) -> &[CatalogueEntry] {
        unimplemented!()
    }
}
