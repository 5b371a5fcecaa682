//! The upstream of the conformance suite's fixtures behind an installation, with a grant under a policy that allows everything.

use serde_json::json;
use testkit::{Api, Process};

use crate::conformance::{Upstream, upstream};
use crate::stack::Stack;

/// The fixtures, and a grant for them.
pub struct Fixtures {
    upstream: Upstream,
    pub tollgate: Process,
    /// The gateway's address of the fixtures.
    pub url: String,
    pub token: String,
    /// The texts for clients, as the API gave them with the token.
    pub texts: serde_json::Value,
    _stack: Stack,
}

impl Fixtures {
    pub async fn start() -> Self {
        Self::at(upstream().await).await
    }

    /// In front of this upstream.
    pub async fn at(upstream: Upstream) -> Self {
        let stack = Stack::start().await;
        let tollgate = stack.serve(&[]).await;
        let api = Api::sign_up(&tollgate.url).await;
        let server = api.register("Fixtures", &upstream.url, &[]).await;
        let policy = api.policy(&server, "all", &json!({ "version": "1", "default": "allow" })).await;
        let grant = json!({ "label": "all", "identity": "all@example.com", "policy_id": policy });
        let minted = api.post(&format!("/servers/{server}/grants"), grant).await;
        let url = format!("{}/mcp/{server}", tollgate.url);
        let token = minted["token"].as_str().unwrap().to_owned();
        Self { upstream, tollgate, url, token, texts: minted["clients"].clone(), _stack: stack }
    }

    /// Address and token: without the gateway, and with it.
    pub fn ways(&self) -> [(&str, Option<&str>); 2] {
        [(&self.upstream.url, None), (&self.url, Some(&self.token))]
    }
}
