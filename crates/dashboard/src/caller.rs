//! Who asks for a page: a visitor, somebody logged in, or a member acting in an organisation. Extractors only.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts, OptionalFromRequestParts, OriginalUri, RawPathParams};
use axum::response::{IntoResponse, Response};
use control::{Actor, Session};
use http::header::SET_COOKIE;
use http::request::Parts;
use http::{HeaderValue, Method};

use crate::error::ErrorPage;
use crate::frame::{Frame, Org};
use crate::state::DashboardState;
use crate::{cookies, guard, hex};

/// Whoever comes to sign up or log in.
#[derive(Debug)]
pub struct Visitor {
    /// Goes into the form.
    pub csrf: String,
    /// The network address, which too many attempts are held against; none where the binary does not tell.
    pub address: Option<IpAddr>,
    cookie: Option<HeaderValue>,
}

/// A secret that only the browser that asks has: the cookie that its forms are bound to.
#[derive(Debug)]
pub struct Browser(pub String);

/// Somebody logged in.
#[derive(Debug)]
pub struct LoggedIn {
    /// Their log-in.
    pub session: Session,
    csrf: String,
}

/// Somebody acting in the organisation that the address names.
#[derive(Debug)]
pub struct Member {
    /// What operations are called with.
    pub actor: Actor,
    logged_in: LoggedIn,
    org: Org,
    waiting: u64,
}

impl Visitor {
    /// The answer, with the cookie that the page's form is bound to where the browser has none yet.
    pub fn answer(self, page: impl IntoResponse) -> Response {
        let mut response = page.into_response();
        if let Some(cookie) = self.cookie {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
        response
    }
}

impl LoggedIn {
    /// The frame of a page that belongs to no organisation.
    pub fn frame(&self, state: &DashboardState, section: &'static str) -> Frame {
        Frame {
            section,
            csrf: self.csrf.clone(),
            now: state.clock.now(),
            email: self.session.email.to_string(),
            organisations: self.session.organisations.clone(),
            waiting: 0,
            org: None,
        }
    }
}

impl Member {
    /// The frame of a page of the organisation.
    pub fn frame(&self, state: &DashboardState, section: &'static str) -> Frame {
        Frame { org: Some(self.org.clone()), waiting: self.waiting, ..self.logged_in.frame(state, section) }
    }

    /// An address in the organisation.
    pub fn path(&self, rest: &str) -> String {
        self.org.path(rest)
    }
}

impl FromRequestParts<DashboardState> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &DashboardState) -> Result<Self, Infallible> {
        let address = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip());
        if let Some(bound) = guard::binding(&parts.headers) {
            return Ok(Self { csrf: guard::token(&state.keyring, bound), address, cookie: None });
        }
        let visit = hex::encode(&state.entropy.bytes::<32>());
        let csrf = guard::token(&state.keyring, &visit);
        Ok(Self { csrf, address, cookie: cookies::set(cookies::VISIT, &visit, None) })
    }
}

impl<S: Sync> FromRequestParts<S> for Browser {
    type Rejection = ErrorPage;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, ErrorPage> {
        guard::binding(&parts.headers).map(|bound| Self(bound.to_owned())).ok_or(ErrorPage::ForeignForm)
    }
}

impl OptionalFromRequestParts<DashboardState> for LoggedIn {
    type Rejection = ErrorPage;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &DashboardState,
    ) -> Result<Option<Self>, ErrorPage> {
        match <Self as FromRequestParts<DashboardState>>::from_request_parts(parts, state).await {
            Ok(logged_in) => Ok(Some(logged_in)),
            Err(ErrorPage::LogIn { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl FromRequestParts<DashboardState> for LoggedIn {
    type Rejection = ErrorPage;

    async fn from_request_parts(parts: &mut Parts, state: &DashboardState) -> Result<Self, ErrorPage> {
        // Routers that are nested take their part off the address; this is the whole of it.
        let uri = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |original| &original.0);
        let next = (parts.method == Method::GET).then(|| uri.to_string());
        let Some(token) = cookies::get(&parts.headers, cookies::SESSION) else {
            return Err(ErrorPage::LogIn { next });
        };
        match state.control.session(token).await {
            Ok(session) => Ok(Self { session, csrf: guard::token(&state.keyring, token) }),
            Err(control::Error::Unauthenticated) => Err(ErrorPage::LogIn { next }),
            Err(error) => Err(error.into()),
        }
    }
}

impl FromRequestParts<DashboardState> for Member {
    type Rejection = ErrorPage;

    async fn from_request_parts(parts: &mut Parts, state: &DashboardState) -> Result<Self, ErrorPage> {
        let logged_in =
            <LoggedIn as FromRequestParts<DashboardState>>::from_request_parts(parts, state).await?;
        let params =
            RawPathParams::from_request_parts(parts, state).await.map_err(|_| ErrorPage::NotFound)?;
        let slug = params.iter().find(|(name, _)| *name == "org").map_or("", |(_, slug)| slug);
        let membership = logged_in.session.membership(slug).ok_or(ErrorPage::NotFound)?;
        let actor = logged_in.session.actor(slug)?;
        let org =
            Org { slug: membership.slug.to_string(), name: membership.name.clone(), role: membership.role };
        let waiting = state.control.pending_approvals(&actor).await?;
        Ok(Self { actor, logged_in, org, waiting })
    }
}
