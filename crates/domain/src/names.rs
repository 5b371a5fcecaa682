//! Names that people type: labels, slugs, e-mail addresses, identities. Each is checked once, here.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;

/// Why a name was refused. The sentence says how to mend it and can be shown to whoever typed the name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing, or only white space.
    #[error("must not be empty: type at least one character")]
    Empty,
    /// Too long.
    #[error("is {length} characters long: shorten it to at most {max}")]
    TooLong {
        /// Characters found.
        length: usize,
        /// Characters allowed.
        max: usize,
    },
    /// A control character, or one that reorders text on a screen.
    #[error("has a control character at position {position}: remove it")]
    Control {
        /// Counted in characters, from 1.
        position: usize,
    },
    /// Not of an e-mail address' form.
    #[error("`{0}` is not an e-mail address: it looks like name@example.com")]
    Email(String),
    /// Not of a slug's form.
    #[error("`{0}` can't be part of an address: use 2 to 40 lower-case letters, digits and single hyphens")]
    Slug(String),
}

/// Trimmed, not empty, at most `max` characters, nothing invisible in it.
fn visible(text: &str, max: usize) -> Result<String, NameError> {
    let text = text.trim();
    if text.is_empty() {
        return Err(NameError::Empty);
    }
    // Bidirectional overrides and zero-width characters make one name look like another.
    let hidden = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    if let Some(position) = text.chars().position(hidden) {
        return Err(NameError::Control { position: position + 1 });
    }
    let length = text.chars().count();
    if length > max {
        return Err(NameError::TooLong { length, max });
    }
    Ok(text.to_owned())
}

macro_rules! texts {
    ($($(#[$doc:meta])* $name:ident, $parse:expr;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The text, as it was checked.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                let parse: fn(&str) -> Result<String, NameError> = $parse;
                parse(text).map(Self)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.0)
            }
        }
    )*};
}

texts! {
    /// What people call an organisation, a server, a policy, a grant or a key: 1 to 80 visible characters.
    Label, |text| visible(text, 80);
    /// Who acts through a grant: a person's e-mail or an agent's name, 1 to 120 visible characters.
    Identity, |text| visible(text, 120);
    /// An e-mail address to log in with, in lower case, at most 254 characters (RFC 5321, 4.5.3.1.3).
    Email, email;
    /// An organisation's part of an address, `/o/{slug}`.
    Slug, slug;
    /// What a person who decides about a call says to its agent: 1 to 500 visible characters.
    Remark, |text| visible(text, 500);
}

fn email(text: &str) -> Result<String, NameError> {
    let text = visible(text, 254)?;
    let fits = |(local, host): (&str, &str)| {
        !local.is_empty()
            && local.len() <= 64
            && !text.contains(|c: char| {
                c.is_whitespace() || matches!(c, '<' | '>' | ',' | ';' | ':' | '"' | '\\')
            })
            && !local.contains('@')
            && host.contains('.')
            && host
                .split('.')
                .all(|label| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-'))
    };
    if text.rsplit_once('@').is_some_and(fits) {
        Ok(text.to_lowercase())
    } else {
        Err(NameError::Email(text))
    }
}

fn slug(text: &str) -> Result<String, NameError> {
    let fits = (2..=40).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
        && !text.contains("--");
    if fits { Ok(text.to_owned()) } else { Err(NameError::Slug(text.chars().take(64).collect())) }
}

impl Slug {
    /// The slug that a label suggests: `Acme & Sons` gives `acme-sons`. `org` when nothing of it can be used.
    pub fn suggest(label: &str) -> Self {
        let words: String =
            label.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { ' ' }).collect();
        let joined: String =
            words.split_whitespace().collect::<Vec<_>>().join("-").chars().take(32).collect();
        let slug = joined.trim_matches('-');
        Self(if slug.len() < 2 { "org".to_owned() } else { slug.to_owned() })
    }

    /// The slug with a number behind it, for when the first choice is taken.
    #[must_use]
    pub fn numbered(&self, n: u32) -> Self {
        Self(format!("{}-{n}", self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_trimmed_and_bounded() {
        assert_eq!("  CI bot ".parse::<Label>().map(|l| l.to_string()), Ok("CI bot".to_owned()));
        assert_eq!("   ".parse::<Label>(), Err(NameError::Empty));
        assert_eq!("x".repeat(81).parse::<Label>(), Err(NameError::TooLong { length: 81, max: 80 }));
        assert_eq!("a\u{202e}b".parse::<Label>(), Err(NameError::Control { position: 2 }));
    }

    #[test]
    fn an_email_is_lower_case_and_has_a_host() {
        assert_eq!(
            "Ada@Example.COM".parse::<Email>().map(|e| e.to_string()),
            Ok("ada@example.com".to_owned())
        );
        for bad in
            ["ada", "ada@", "@example.com", "a b@example.com", "ada@example", "a@b@example.com", "a@ex..com"]
        {
            assert!(bad.parse::<Email>().is_err(), "{bad}");
        }
    }

    #[test]
    fn a_slug_is_suggested_from_any_label() {
        assert_eq!(Slug::suggest("Acme & Sons, Ltd.").as_str(), "acme-sons-ltd");
        assert_eq!(Slug::suggest("日本").as_str(), "org");
        assert_eq!(Slug::suggest("Acme").numbered(2).as_str(), "acme-2");
        for label in ["A", "--", "x".repeat(100).as_str(), "Ünï cödé"] {
            let slug = Slug::suggest(label);
            assert_eq!(slug.as_str().parse::<Slug>(), Ok(slug));
        }
    }
}
