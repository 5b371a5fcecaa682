//! Giving tokens back (RFC 7009), when a connection is ended.

use domain::{Secret, UpstreamUrl};
use http::StatusCode;
use storage::SealedConnection;

use crate::error::Error;
use crate::keeper::Keeper;
use crate::kept::Kept;
use crate::token::{Endpoint, post};

/// What became of the access at the authorization server when its tokens were forgotten here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// It was ended there too.
    Revoked,
    /// The authorization server has no way to end it.
    NotOffered,
    /// It could not be ended: the authorization server did not answer, or refused.
    Failed,
}

impl Keeper {
    /// Gives the tokens of a connection back. The refresh token goes first: with it, whatever was had with it should end.
    pub async fn revoke(&self, stored: &SealedConnection) -> Revocation {
        let kept = match self.kept(stored) {
            Ok(kept) => kept,
            Err(error) => {
                tracing::warn!(server = %stored.server, %error, "tokens can't be given back");
                return Revocation::Failed;
            }
        };
        let Some(url) = kept.revocation_endpoint.as_ref().and_then(|url| url.parse().ok()) else {
            return Revocation::NotOffered;
        };
        match self.give_back(&stored.issuer, &url, &kept).await {
            Ok(()) => Revocation::Revoked,
            Err(error) => {
                tracing::warn!(server = %stored.server, %error, "an authorization server did not take tokens back");
                Revocation::Failed
            }
        }
    }

    async fn give_back(&self, issuer: &str, url: &UpstreamUrl, kept: &Kept) -> Result<(), Error> {
        let endpoint = Endpoint { issuer, url, client: &kept.client };
        let refresh = kept.refresh.as_ref().map(|token| (token, "refresh_token"));
        for (token, hint) in refresh.into_iter().chain([(&kept.access, "access_token")]) {
            let fields = [("token", Secret::expose(token).as_str()), ("token_type_hint", hint)];
            let answered = post(self.desk(), endpoint, &fields).await?.status();
            // Some take back refresh tokens only (RFC 7009, 2.2.1), which then is all there is to do.
            let done = answered == StatusCode::OK || (hint == "access_token" && kept.refresh.is_some());
            if !done {
                return Err(Error::Unreadable("it did not say that the token is revoked"));
            }
        }
        Ok(())
    }
}
