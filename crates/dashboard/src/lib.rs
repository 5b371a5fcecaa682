//! HTML front door: server-rendered pages, forms, CSRF.
