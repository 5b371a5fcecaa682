//! Lists: always an object with `items`, so that a list can grow pages without breaking who reads it.

use serde::Serialize;
use utoipa::ToSchema;

/// Some items, and where the next ones begin.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Send it as `cursor` to get the next page; null on the last.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A list that fits one page.
    pub(crate) fn whole(items: Vec<T>) -> Self {
        Self { items, next: None }
    }
}
