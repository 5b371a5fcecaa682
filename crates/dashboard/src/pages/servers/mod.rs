//! `/o/{org}/servers`: a file a page of the list and of one server.

pub mod headers;
pub mod list;
pub mod login;
pub mod new;
pub mod overview;
pub mod protocol;
pub mod settings;
pub mod tools;
pub mod view;
