//! Ids, names, roles and the clock: the words every other crate speaks.
