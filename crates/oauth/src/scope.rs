//! Scopes: which to ask for, and when asking again can help.

use std::fmt;

/// A set of scopes in the order in which they were named, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(Vec<String>);

/// Scopes that are asked for at once.
const MOST: usize = 100;
/// What a client asks for that wants to renew tokens, where the authorization server knows it.
const OFFLINE: &str = "offline_access";

impl Scopes {
    /// Reads a list with blanks between; what is no scope token (RFC 6749, 3.3) is left out.
    pub fn read(text: &str) -> Self {
        Self::of(text.split(' '))
    }

    /// A set of these.
    pub fn of<'a>(scopes: impl IntoIterator<Item = &'a str>) -> Self {
        let mut set = Self::default();
        for scope in scopes {
            set.add(scope);
        }
        set
    }

    fn add(&mut self, scope: &str) {
        let fits = |b: u8| b == 0x21 || (0x23..=0x5b).contains(&b) || (0x5d..=0x7e).contains(&b);
        let token = !scope.is_empty() && scope.len() <= 256 && scope.bytes().all(fits);
        if token && self.0.len() < MOST && !self.contains(scope) {
            self.0.push(scope.to_owned());
        }
    }

    /// Whether the scope is in it.
    pub fn contains(&self, scope: &str) -> bool {
        self.0.iter().any(|known| known == scope)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// These and those.
    #[must_use]
    pub fn union(&self, more: &Self) -> Self {
        Self::of(self.iter().chain(more.iter()))
    }

    /// Whether all of `others` are in it.
    pub fn covers(&self, others: &Self) -> bool {
        others.iter().all(|scope| self.contains(scope))
    }

    /// What to ask for when these were asked for before and the server wants `challenged`: the union, or nothing where
    /// that was asked for already. Asking a second time for the same would go round in circles.
    pub fn step_up(&self, challenged: &Self) -> Option<Self> {
        (!self.covers(challenged)).then(|| self.union(challenged))
    }

    /// With `offline_access`, where anything is asked for and the authorization server lists it.
    #[must_use]
    pub(crate) fn renewable(&self, supported: Option<&Self>) -> Self {
        if !self.is_empty() && supported.is_some_and(|supported| supported.contains(OFFLINE)) {
            self.union(&Self::of([OFFLINE]))
        } else {
            self.clone()
        }
    }

    /// Without `offline_access`: a client that asks for itself has nothing to renew.
    #[must_use]
    pub fn online(&self) -> Self {
        Self::of(self.iter().filter(|scope| *scope != OFFLINE))
    }

    pub(crate) fn is_offline(&self) -> bool {
        self.contains(OFFLINE)
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_up_is_the_union_and_ends() {
        let before = Scopes::read("read write");
        let more = Scopes::read("admin read");
        let next = before.step_up(&more).unwrap();
        assert_eq!(next.to_string(), "read write admin");
        assert_eq!(next.step_up(&more), None);
        assert_eq!(before.step_up(&Scopes::default()), None);
    }

    #[test]
    fn only_scope_tokens_are_taken() {
        assert_eq!(Scopes::read("a  b a \"c\" d\\e f\u{e9} g\n").to_string(), "a b");
    }

    #[test]
    fn offline_access_is_asked_for_where_it_is_known() {
        let wanted = Scopes::read("a");
        assert_eq!(wanted.renewable(Some(&Scopes::read("a offline_access"))).to_string(), "a offline_access");
        assert_eq!(wanted.renewable(Some(&Scopes::read("a"))).to_string(), "a");
        assert_eq!(wanted.renewable(None).to_string(), "a");
        assert_eq!(Scopes::read("a offline_access").online().to_string(), "a");
        // Alone it would stand in the place of the server's default scopes.
        assert!(Scopes::default().renewable(Some(&Scopes::read("offline_access"))).is_empty());
    }
}
