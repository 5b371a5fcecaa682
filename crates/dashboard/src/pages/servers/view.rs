//! What every page of one server shows: its head and its tabs.

use control::Server;
use domain::ServerId;

use crate::caller::Member;
use crate::error::ErrorPage;
use crate::state::DashboardState;

/// A server, and where in it the page is.
#[derive(Clone, Debug)]
pub struct View {
    /// The server.
    pub server: Server,
    /// The current tab, as its part of the address.
    pub tab: &'static str,
    /// Address and name of what the page is deeper in than its tab.
    pub crumbs: Vec<(String, String)>,
    /// The thing in the server that the page is about.
    pub inner: Option<String>,
}

impl View {
    /// Looks up the server for a tab.
    pub async fn of(
        state: &DashboardState,
        member: &Member,
        id: ServerId,
        tab: &'static str,
    ) -> Result<Self, ErrorPage> {
        let server = state.control.server(&member.actor, id).await?;
        Ok(Self { server, tab, crumbs: Vec::new(), inner: None })
    }

    /// The same for a page deeper than the tab: `inner` is its heading.
    #[must_use]
    pub fn deeper(mut self, member: &Member, inner: &str, crumbs: &[(&str, &str)]) -> Self {
        let base = member.path(&format!("/servers/{}", self.server.id));
        self.crumbs = vec![(base.clone(), self.server.name.clone())];
        self.crumbs.extend(crumbs.iter().map(|(rest, name)| (format!("{base}{rest}"), (*name).to_owned())));
        self.inner = Some(inner.to_owned());
        self
    }

    /// What stands above the tabs.
    pub fn heading(&self) -> &str {
        self.inner.as_deref().unwrap_or(&self.server.name)
    }

    /// What the browser's tab says.
    pub fn title(&self) -> String {
        let (_, name, _) = self.tabs().into_iter().find(|(tab, ..)| *tab == self.tab).unwrap_or_default();
        match &self.inner {
            Some(inner) => format!("{inner} · {}", self.server.name),
            None => format!("{name} · {}", self.server.name),
        }
    }

    /// Part of the address, name, and how many there are.
    pub fn tabs(&self) -> [(&'static str, &'static str, Option<i64>); 6] {
        [
            ("", "Overview", None),
            ("/tools", "Tools", Some(self.server.tools)),
            ("/policies", "Policies", Some(self.server.policies)),
            ("/grants", "Grants", Some(self.server.grants)),
            ("/log", "Log", None),
            ("/settings", "Settings", None),
        ]
    }
}
