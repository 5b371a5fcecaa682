//! The language through the crate's public surface: a file per part of `docs/policy-language.md`.

mod arguments;
mod canonical;
mod case;
mod conditions;
mod corpus;
mod cost;
mod evaluation;
mod generate;
mod limits;
mod methods;
mod paths;
mod presets;
mod problems;
mod properties;
mod schema;
mod shadow;
mod shorthand;
mod tools;
mod vectors;
mod warnings;
