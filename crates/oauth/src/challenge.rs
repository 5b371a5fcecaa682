//! The `WWW-Authenticate` header of a server that wants a token (RFC 9110, 11.6.1; RFC 6750, 3; RFC 9728, 5.1).

use http::HeaderMap;
use http::header::WWW_AUTHENTICATE;

use crate::scope::Scopes;

/// What the first `Bearer` challenge of an answer says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Challenge {
    /// Where the server's metadata is.
    pub resource_metadata: Option<String>,
    /// What a token must be good for.
    pub scopes: Option<Scopes>,
    /// `insufficient_scope`, `invalid_token`, ...
    pub error: Option<String>,
}

impl Challenge {
    /// The challenge in these headers.
    pub fn read(headers: &HeaderMap) -> Option<Self> {
        headers.get_all(WWW_AUTHENTICATE).iter().filter_map(|value| value.to_str().ok()).find_map(Self::parse)
    }

    /// Whether the token lacks a scope.
    pub fn is_insufficient_scope(&self) -> bool {
        self.error.as_deref() == Some("insufficient_scope")
    }

    fn parse(text: &str) -> Option<Self> {
        let mut reader = Reader { rest: text };
        let mut found: Option<Self> = None;
        while let Some(word) = reader.word() {
            match (reader.value(), &mut found) {
                // The next challenge begins.
                (None, Some(_)) => break,
                (None, None) if word.eq_ignore_ascii_case("bearer") => found = Some(Self::default()),
                (Some(value), Some(challenge)) => challenge.take(word, value),
                // A scheme of no interest, or a parameter of one.
                (_, None) => {}
            }
        }
        found
    }

    /// The first of several parameters with one name counts.
    fn take(&mut self, name: &str, value: String) {
        match name.to_ascii_lowercase().as_str() {
            "resource_metadata" => {
                self.resource_metadata.get_or_insert(value);
            }
            "scope" => {
                self.scopes.get_or_insert_with(|| Scopes::read(&value));
            }
            "error" => {
                self.error.get_or_insert(value);
            }
            _ => {}
        }
    }
}

/// Words, and the values behind them.
struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn word(&mut self) -> Option<&'a str> {
        let start = self.rest.find(|c: char| c != ' ' && c != '\t' && c != ',')?;
        let rest = &self.rest[start..];
        let end = rest.find([' ', '\t', ',', '=']).unwrap_or(rest.len());
        // A character that begins nothing is stepped over, so that the end is reached.
        let step = if end == 0 { rest.chars().next().map_or(0, char::len_utf8) } else { end };
        self.rest = &rest[step..];
        Some(&rest[..end])
    }

    /// What is behind `=`, if that comes next.
    fn value(&mut self) -> Option<String> {
        let rest = self.rest.trim_start_matches([' ', '\t']).strip_prefix('=')?;
        let rest = rest.trim_start_matches([' ', '\t']);
        let Some(quoted) = rest.strip_prefix('"') else {
            let end = rest.find([' ', '\t', ',']).unwrap_or(rest.len());
            self.rest = &rest[end..];
            return Some(rest[..end].to_owned());
        };
        let mut value = String::new();
        let mut characters = quoted.char_indices();
        let mut end = quoted.len();
        while let Some((at, character)) = characters.next() {
            match character {
                '"' => {
                    end = at + 1;
                    break;
                }
                '\\' => value.extend(characters.next().map(|(_, escaped)| escaped)),
                other => value.push(other),
            }
        }
        self.rest = &quoted[end..];
        Some(value)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn read(values: &[&str]) -> Option<Challenge> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_str(value).unwrap());
        }
        Challenge::read(&headers)
    }

    #[test]
    fn a_bearer_challenge_is_found_among_others() {
        let found = read(&[
            "Negotiate abc==",
            "Basic realm=\"a, Bearer scope=\\\"x\\\"\", bearer  error = \"insufficient_scope\" , scope=\"a b\", \
             resource_metadata=\"https://x.example/.well-known/oauth-protected-resource\", DPoP scope=\"c\"",
        ])
        .unwrap();
        assert_eq!(found.scopes, Some(Scopes::read("a b")));
        assert!(found.is_insufficient_scope());
        let address = "https://x.example/.well-known/oauth-protected-resource";
        assert_eq!(found.resource_metadata.as_deref(), Some(address));
    }

    #[test]
    fn a_bare_challenge_says_nothing_and_no_challenge_is_none() {
        assert_eq!(read(&["Bearer"]), Some(Challenge::default()));
        assert_eq!(read(&["Basic realm=x"]), None);
        assert_eq!(read(&[]), None);
    }

    #[test]
    fn the_first_of_two_counts_and_odd_text_ends() {
        let found = read(&["Bearer scope=a, scope=b, error=\"unclosed"]).unwrap();
        assert_eq!(found.scopes, Some(Scopes::read("a")));
        assert_eq!(found.error.as_deref(), Some("unclosed"));
        for odd in ["=", "Bearer =,=,=", "\"", "Bearer \\", ", ,", "Bearer scope=", "Bearer \u{e9}=\u{e9}"] {
            let mut headers = HeaderMap::new();
            headers.append(WWW_AUTHENTICATE, HeaderValue::from_bytes(odd.as_bytes()).unwrap());
            Challenge::read(&headers);
        }
    }
}
