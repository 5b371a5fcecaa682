//! Where each shard is, as far as is known: who is said to hold it, and which of these stand.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::Shard;
use crate::address::{Address, Server, Topology};
use crate::node::Live;
use crate::shard::PerShard;
use crate::slots::Claims;

/// What is known. Changed under a lock, never on the way of an operation.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The servers of the address, where each of them may be asked for the others.
    seeds: Vec<Server>,
    /// Who is said to hold each shard.
    holders: PerShard<Option<Server>>,
    /// What each node of a cluster that stands says about it.
    claims: BTreeMap<Server, Claims>,
    standing: BTreeMap<Server, Arc<Live>>,
    /// Servers that a task keeps up.
    kept: BTreeSet<Server>,
}

impl Plan {
    /// Nothing but what the address says.
    pub(crate) fn new(address: &Address) -> Self {
        let mut plan = Self {
            seeds: Vec::new(),
            holders: PerShard::default(),
            claims: BTreeMap::new(),
            standing: BTreeMap::new(),
            kept: BTreeSet::new(),
        };
        match address.topology {
            Topology::Alone => plan.place(address.servers.first()),
            Topology::Cluster => plan.seeds.clone_from(&address.servers),
            Topology::Sentinel(_) => {}
        }
        plan
    }

    /// Everything is at this server; or nobody knows where.
    pub(crate) fn place(&mut self, server: Option<&Server>) {
        self.holders = PerShard::from_fn(|_| server.cloned());
    }

    /// A connection stands.
    pub(crate) fn put(&mut self, live: &Arc<Live>, claims: Option<Claims>) {
        self.standing.insert(live.server.clone(), Arc::clone(live));
        self.hear(&live.server, claims);
    }

    /// A node of a cluster says who has what. Without any that says so, what was said before stays: to be asked again.
    pub(crate) fn hear(&mut self, node: &Server, claims: Option<Claims>) {
        let Some(claims) = claims else { return };
        self.claims.insert(node.clone(), claims);
        self.holders = PerShard::from_fn(|shard| {
            let claimed =
                self.claims.iter().filter_map(|(node, claims)| Some((claims[shard].as_ref()?, node)));
            claimed.max_by_key(|(claim, _)| claim.epoch).map(|(claim, node)| claim.server(node))
        });
    }

    /// A connection is of no more use: whether it was the one that stands.
    pub(crate) fn lose(&mut self, live: &Arc<Live>) -> bool {
        let stands = self.stands(live);
        if stands {
            self.standing.remove(&live.server);
            self.claims.remove(&live.server);
        }
        stands
    }

    /// Whether this connection is the one to its server, and the server is still of interest.
    pub(crate) fn stands(&self, live: &Arc<Live>) -> bool {
        self.standing.get(&live.server).is_some_and(|standing| Arc::ptr_eq(standing, live))
    }

    /// The connection to a server, if one stands.
    pub(crate) fn standing(&self, server: &Server) -> Option<&Arc<Live>> {
        self.standing.get(server)
    }

    /// Every connection that stands.
    pub(crate) fn all_standing(&self) -> impl Iterator<Item = &Arc<Live>> {
        self.standing.values()
    }

    /// The connection to send operations of a shard over.
    pub(crate) fn route(&self, shard: Shard) -> Option<&Arc<Live>> {
        let live = self.standing.get(self.holders[shard].as_ref()?)?;
        live.identity.primary.then_some(live)
    }

    /// Whether a connection to this server is of any use.
    fn wanted(&self, server: &Server) -> bool {
        self.seeds.contains(server) || Shard::all().any(|shard| self.holders[shard].as_ref() == Some(server))
    }

    /// Servers that a task must be started for. It is taken for started.
    pub(crate) fn unkept(&mut self) -> Vec<Server> {
        let holders = Shard::all().filter_map(|shard| self.holders[shard].as_ref());
        let wanted: BTreeSet<Server> = holders.chain(&self.seeds).cloned().collect();
        let new: Vec<Server> = wanted.difference(&self.kept).cloned().collect();
        self.kept.extend(new.iter().cloned());
        new
    }

    /// Whether the task of a server may end, since nobody wants it. It is taken for ended.
    pub(crate) fn dismiss(&mut self, server: &Server) -> bool {
        !self.wanted(server) && self.kept.remove(server)
    }

    /// Connections to servers that nobody wants any more.
    pub(crate) fn idle(&self) -> Vec<Arc<Live>> {
        self.standing.values().filter(|live| !self.wanted(&live.server)).cloned().collect()
    }
}
