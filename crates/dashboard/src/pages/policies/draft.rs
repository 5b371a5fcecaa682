//! What a press of a button makes of the text in the editor: choices of the table and the form of one tool written into it.

use control::{Choice, Custom, Effect, ToolChoice};

use super::choices::changed;
use super::custom::{add, put, remove, typed};
use crate::error::ErrorPage;
use crate::form::Form;

/// The text as it is to be shown, checked or saved.
#[derive(Debug, Default)]
pub struct Draft {
    pub document: String,
    /// The form that is open, and the field of it that was added just now.
    pub custom: Option<(Custom, String)>,
    /// Tools that were let through, and whose conditions still ask for more.
    pub kept: Vec<String>,
}

impl Draft {
    /// A text that nobody has touched.
    pub fn untouched(document: String) -> Self {
        Self { document, ..Self::default() }
    }

    /// The same with the form open for a tool; a text that can't be read has none.
    pub fn opened(self, tool: &str) -> Self {
        let custom = Custom::of(&self.document, tool).ok().map(|custom| (custom, String::new()));
        Self { custom, ..self }
    }

    /// The form of the page, filled in for what is open.
    pub fn shown(&self, mut form: Form) -> Form {
        if let Some((custom, _)) = &self.custom {
            put(&mut form, custom);
        }
        form
    }

    /// What was sent. Problems are noted at the form; a text that can't be read stays as it is: the check says why.
    pub fn of(form: &mut Form) -> Result<Self, ErrorPage> {
        let pressed = form.value("do").to_owned();
        let (verb, what) = pressed.split_once(' ').unwrap_or((&pressed, ""));
        let changed = changed(form);
        let mut draft = Self::untouched(form.value("document").to_owned());
        draft.choose(form, &changed.choices);
        if let Some(custom) = typed(form) {
            draft.write(form, custom, (verb, what))?;
        }
        let wanted = if verb == "custom" { Some(what.to_owned()) } else { changed.custom };
        if let Some(tool) = wanted.filter(|_| form.is_clean()) {
            draft = draft.opened(&tool);
        }
        if let Some((custom, _)) = &draft.custom {
            put(form, custom);
        }
        Ok(draft)
    }

    /// What was sent, as one text: what is tried elsewhere is what saving it would save.
    pub fn written(form: &mut Form) -> String {
        let mut draft = Self::untouched(form.value("document").to_owned());
        let changed = changed(form);
        draft.choose(form, &changed.choices);
        match typed(form).map(|custom| control::customise(&draft.document, &custom)) {
            Some(Ok(written)) => draft.document = written,
            Some(Err(control::Error::Invalid(problems))) => {
                for problem in problems {
                    form.refuse("", &problem.message);
                }
            }
            Some(Err(_)) | None => {}
        }
        draft.document
    }

    fn choose(&mut self, form: &mut Form, choices: &[ToolChoice]) {
        if choices.is_empty() {
            return;
        }
        match control::choose(&self.document, choices) {
            Ok(written) => {
                self.kept = kept(&written, choices);
                self.document = written;
            }
            Err(control::Error::InvalidPolicy(_)) => {}
            Err(control::Error::Invalid(problems)) => {
                for problem in problems {
                    form.refuse("", &problem.message);
                }
            }
            Err(error) => form.refuse("", &error),
        }
    }

    /// The open form: written into the text, changed, closed, or left as it is.
    fn write(
        &mut self,
        form: &mut Form,
        mut custom: Custom,
        (verb, what): (&str, &str),
    ) -> Result<(), ErrorPage> {
        let mut fresh = String::new();
        match verb {
            "cancel" => return Ok(()),
            "write" | "save" => match control::customise(&self.document, &custom) {
                Ok(written) => {
                    self.document = written;
                    return Ok(());
                }
                Err(control::Error::InvalidPolicy(_)) => {}
                Err(error) => form.absorb(error)?,
            },
            "add" => fresh = add(&mut custom, what).unwrap_or_default(),
            "remove" => remove(&mut custom, what),
            _ => {}
        }
        self.custom = Some((custom, fresh));
        Ok(())
    }
}

/// Of the tools that were let through, those that a condition still stands before.
fn kept(document: &str, choices: &[ToolChoice]) -> Vec<String> {
    let Ok(policy) = policy::Policy::read(document.as_bytes()) else { return Vec::new() };
    let conditional = |row: &&ToolChoice| {
        matches!(row.choice, Choice::Allow | Choice::Limit { .. })
            && Effect::from(policy.outline(&row.tool).effect) == Effect::Conditional
    };
    choices.iter().filter(conditional).map(|row| row.tool.clone()).collect()
}
