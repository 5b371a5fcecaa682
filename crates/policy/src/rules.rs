//! The rules of a document by name, for reports on which of them are ever used.

use crate::document::{Entry, Policy, Rule};

impl Policy {
    /// The pointers of everything in the document that can decide a call, in the order they are asked.
    pub fn rules(&self) -> Vec<String> {
        let mut rules: Vec<String> = self.hide.iter().map(|hidden| hidden.pointer.to_string()).collect();
        rules.extend(self.validate_arguments.then(|| "/validate_arguments".to_owned()));
        for entry in self.tools.iter().map(|tool| &tool.entry).chain([&self.all_tools]) {
            entry.rules(&mut rules);
        }
        rules
    }

    /// The pointers of what hides a tool.
    pub fn hiding<'a>(&'a self, tool: &'a str) -> impl Iterator<Item = &'a str> {
        self.hide.iter().filter(move |hidden| hidden.glob.matches(tool)).map(|hidden| &*hidden.pointer)
    }
}

impl Entry {
    fn rules(&self, rules: &mut Vec<String>) {
        let list = |name: &str, list: &[Rule]| -> Vec<String> {
            list.iter().map(|rule| rule.pointer(&self.pointer, name)).collect()
        };
        let validates = self.validate_arguments == Some(true);
        rules.extend(validates.then(|| format!("{}/validate_arguments", self.pointer)));
        rules.extend(list("require", &self.require));
        rules.extend(list("deny_if", &self.deny_if));
        rules.extend(list("approve_if", &self.approve_if));
        rules.extend(self.limits.iter().map(|limit| limit.rule.to_string()));
    }
}
