//! What to do next: the steps from nothing to a first call, ticked as far as they are done.

use control::Server;

/// A step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub name: &'static str,
    pub text: &'static str,
    pub done: bool,
    /// Where to do it; none when it is done, or can't be done yet.
    pub href: Option<String>,
}

/// The steps of one server. `base` is its address.
pub fn of_server(server: &Server, called: bool, base: &str) -> [Step; 4] {
    let ready = server.tools > 0;
    let (policy, grant) = (server.policies > 0, server.grants > 0);
    [
        step("Connect", "Tollgate reads the server's tools.", ready, || format!("{base}/settings")),
        step("Write a policy", "Say which tools may be called.", policy, || format!("{base}/policies/new")),
        step("Mint a grant", "A token for one person or agent.", grant, || format!("{base}/grants/new")),
        step("First call", "Point a client at the gateway.", called, || format!("{base}#connect")),
    ]
}

/// The first step, where there is no server yet.
pub fn add_server(href: String) -> Step {
    step("Add a server", "The upstream that your agents call.", false, || href)
}

fn step(name: &'static str, text: &'static str, done: bool, href: impl FnOnce() -> String) -> Step {
    Step { name, text, done, href: (!done).then(href) }
}
