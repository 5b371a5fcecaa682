//! Calls that a person must approve: the inbox, the page of one question, and the address that agents are told.

pub mod find;
pub mod list;
pub mod question;
