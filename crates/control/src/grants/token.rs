//! Tokens of grants: made, replaced, and shown again.

use domain::{GrantId, Role, Secret, UserId};
use storage::TokenRow;
use vault::{Place, Token, TokenKind};

use crate::change::Event;
use crate::clients::configurations;
use crate::throttle::{Action, Subject};
use crate::{Actor, Conflict, Control, Error, MintedGrant, Who, input};

impl Control {
    /// Replaces the token; the old one is refused from the next call on. Needs `editor`.
    pub async fn rotate_grant(&self, actor: &Actor, id: GrantId) -> Result<MintedGrant, Error> {
        let grant = self.unrevoked(actor, id).await?;
        let (token, row) = self.new_token(actor, id)?;
        let mut change = self.change(actor).await?;
        if !change.rotate_grant(id, &row, self.now()).await? {
            return Err(Conflict::Revoked.into());
        }
        change.commit(actor, Event::new("grant.rotate", id.uuid(), grant.label)).await?;
        self.minted(actor, id, &token).await
    }

    /// Shows the token again, to a person who types their password; it is in the admin log. Needs `admin`.
    pub async fn reveal_grant(
        &self,
        actor: &Actor,
        id: GrantId,
        password: &Secret<String>,
    ) -> Result<MintedGrant, Error> {
        actor.needs(Role::Admin)?;
        let Who::User { id: user, .. } = actor.who else { return Err(Error::PeopleOnly) };
        let grant = self.unrevoked(actor, id).await?;
        self.check_own_password(user, password).await?;

        let mut tx = self.tenant(actor).await?;
        let sealed = tx.sealed_token(id).await?.ok_or(Conflict::Revoked)?;
        let place = Place::GrantToken { tenant: actor.tenant, grant: id };
        let opened = self.parts().keyring.open(&sealed, place)?;
        let text = std::str::from_utf8(opened.expose()).map_err(Error::internal)?;
        let token = Token::parse(TokenKind::Grant, text)?;
        // Written down before it is shown.
        self.commit(tx, actor, Event::new("grant.reveal", id.uuid(), grant.label)).await?;
        self.minted(actor, id, &token).await
    }

    pub(super) fn new_token(&self, actor: &Actor, id: GrantId) -> Result<(Token, TokenRow), Error> {
        let parts = self.parts();
        let token = Token::generate(TokenKind::Grant, &parts.entropy);
        let place = Place::GrantToken { tenant: actor.tenant, grant: id };
        let sealed = parts.keyring.seal(token.expose().as_bytes(), place, &parts.entropy)?;
        let row = TokenRow { hash: token.hash(), sealed, hint: token.hint() };
        Ok((token, row))
    }

    pub(super) async fn minted(
        &self,
        actor: &Actor,
        id: GrantId,
        token: &Token,
    ) -> Result<MintedGrant, Error> {
        let grant = self.grant(actor, id).await?;
        let url = self.gateway_url(grant.server_id);
        let clients = configurations(&grant.server_name, &url, token.expose());
        Ok(MintedGrant { grant, token: Secret::new(token.expose().to_owned()), clients })
    }

    /// The password of whoever is logged in, typed again.
    async fn check_own_password(&self, user: UserId, password: &Secret<String>) -> Result<(), Error> {
        let wrong = || Error::field("/password", "is wrong: type the password that you log in with");
        if password.expose().len() > input::PASSWORD_BYTES {
            return Err(wrong());
        }
        let subjects = [Subject::User(user)];
        self.count(Action::Reveal, &subjects).await?;
        let stored = self.parts().storage.system().await?.password_hash(user).await?;
        if !self.verify_password(password, stored).await? {
            return Err(wrong());
        }
        let mut tx = self.parts().storage.system().await?;
        self.uncount(&mut tx, Action::Reveal, &subjects).await?;
        Ok(tx.commit().await?)
    }
}
