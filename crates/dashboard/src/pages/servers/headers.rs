//! The rows of a form for headers to send to an upstream.

use control::NewHeader;
use domain::Secret;

use crate::form::Form;

/// Rows on the page.
pub const HEADER_ROWS: usize = 3;

/// The field of a row's name.
pub fn header_name(at: usize) -> String {
    format!("headers.{at}.name")
}

/// The field of a row's value.
fn header_value(at: usize) -> String {
    format!("headers.{at}.value")
}

/// A row as the page shows it. What was typed as its value never comes back: it is a secret.
#[derive(Clone, Debug)]
pub struct Row {
    /// The field of its name.
    pub name_field: String,
    /// The field of its value.
    pub value_field: String,
    /// The typed name.
    pub name: String,
    /// What is wrong with the name.
    pub name_problems: Vec<String>,
    /// What is wrong with the value.
    pub value_problems: Vec<String>,
}

/// Every row of the page.
pub fn rows(form: &Form) -> Vec<Row> {
    let problems = |field: &str| form.problems(field).map(str::to_owned).collect();
    let row = |at: usize| {
        let (name_field, value_field) = (header_name(at), header_value(at));
        Row {
            name: form.value(&name_field).to_owned(),
            name_problems: problems(&name_field),
            value_problems: problems(&value_field),
            name_field,
            value_field,
        }
    };
    (0..HEADER_ROWS).map(row).collect()
}

/// The rows that something was typed into. Empty rows in between are closed up in the form as well, so that a
/// problem with the second header is shown at the second row.
pub fn typed(form: &mut Form) -> Vec<NewHeader> {
    let rows: Vec<_> = (0..HEADER_ROWS)
        .map(|at| (form.value(&header_name(at)).to_owned(), form.value(&header_value(at)).to_owned()))
        .filter(|(name, value)| !name.trim().is_empty() || !value.is_empty())
        .collect();
    for at in 0..HEADER_ROWS {
        form.put(&header_name(at), rows.get(at).map(|(name, _)| name.clone()).unwrap_or_default());
        form.put(&header_value(at), String::new());
    }
    rows.into_iter().map(|(name, value)| NewHeader { name, value: Secret::new(value) }).collect()
}
