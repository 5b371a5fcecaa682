//! What a person comes back with.

use url::form_urlencoded;

use crate::authorize::Pending;
use crate::code::Code;
use crate::error::Error;

/// The parameters of the answer. One that is there twice makes the answer unusable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answer {
    code: Option<String>,
    state: Option<String>,
    iss: Option<String>,
    error: Option<String>,
    twice: bool,
}

impl Answer {
    /// Reads the query of the address that the person came back to.
    pub fn read(query: &str) -> Self {
        let mut answer = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let place = match name.as_ref() {
                "code" => &mut answer.code,
                "state" => &mut answer.state,
                "iss" => &mut answer.iss,
                "error" => &mut answer.error,
                _ => continue,
            };
            answer.twice |= place.replace(value.into_owned()).is_some();
        }
        answer
    }

    /// What the answer is known by.
    pub fn state(&self) -> Option<&str> {
        self.state.as_deref().filter(|_| !self.twice)
    }

    /// The code, if it came from who was asked. Names of issuers are compared to the letter (RFC 9207, 2.4), and
    /// before anything else is believed.
    pub fn code(&self, pending: &Pending) -> Result<&str, Error> {
        if self.twice {
            return Err(Error::IncompleteAnswer);
        }
        match &self.iss {
            Some(iss) if *iss != pending.issuer => return Err(Error::OtherAnswer),
            None if pending.names_itself => return Err(Error::OtherAnswer),
            _ => {}
        }
        if let Some(error) = &self.error {
            return Err(Error::Denied(Code::read(error)));
        }
        self.code.as_deref().filter(|code| !code.is_empty()).ok_or(Error::IncompleteAnswer)
    }
}

#[cfg(test)]
mod tests {
    use domain::Secret;

    use super::*;
    use crate::client::Client;
    use crate::scope::Scopes;

    fn pending(names_itself: bool) -> Pending {
        Pending {
            issuer: "https://as.example".to_owned(),
            names_itself,
            token_endpoint: "https://as.example/token".parse().unwrap(),
            revocation_endpoint: Some("https://as.example/revoke".parse().unwrap()),
            redirect_uri: "https://tollgate.example/oauth/callback".to_owned(),
            resource: "https://x.example/mcp".to_owned(),
            scopes: Scopes::read("a b"),
            client: Client::public("c".to_owned()),
            verifier: Secret::new("v".to_owned()),
        }
    }

    fn code(query: &str, names_itself: bool) -> Result<String, Error> {
        Answer::read(query).code(&pending(names_itself)).map(str::to_owned)
    }

    #[test]
    fn the_issuer_is_compared_before_anything_else_is_believed() {
        let named = "iss=https%3A%2F%2Fas.example";
        assert_eq!(code(&format!("code=x&{named}"), true), Ok("x".to_owned()));
        assert_eq!(code(&format!("code=x&{named}"), false), Ok("x".to_owned()));
        assert_eq!(code("code=x", false), Ok("x".to_owned()));
        assert_eq!(code("code=x", true), Err(Error::OtherAnswer));
        for wrong in [
            "https://evil.example",
            "https://as.example/",
            "HTTPS://as.example",
            "https://as.example:443",
            "",
        ] {
            assert_eq!(code(&format!("code=x&iss={wrong}"), false), Err(Error::OtherAnswer), "{wrong}");
            assert_eq!(code(&format!("error=access_denied&iss={wrong}"), false), Err(Error::OtherAnswer));
        }
        assert_eq!(
            code(&format!("error=access_denied&{named}"), true),
            Err(Error::Denied(Code::AccessDenied))
        );
    }

    #[test]
    fn nothing_may_be_missing_or_there_twice() {
        assert_eq!(code("state=s", false), Err(Error::IncompleteAnswer));
        assert_eq!(code("code=&state=s", false), Err(Error::IncompleteAnswer));
        assert_eq!(code("code=a&code=b", false), Err(Error::IncompleteAnswer));
        assert_eq!(Answer::read("state=a&state=b").state(), None);
        assert_eq!(Answer::read("state=a+b").state(), Some("a b"));
    }

    #[test]
    fn what_is_remembered_is_read_as_it_was_written() {
        let mut pending = pending(true);
        pending.client.secret = Some(Secret::new("s".to_owned()));
        pending.client.auth = crate::client::ClientAuth::Post;
        assert_eq!(Pending::read(&pending.to_bytes()), Some(pending));
        assert_eq!(Pending::read(b"{}"), None);
    }
}
