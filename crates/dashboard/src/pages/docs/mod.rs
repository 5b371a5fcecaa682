//! `/docs`: references that everybody may read, logged in or not.

pub mod api;
pub mod openapi;
pub mod policy;
