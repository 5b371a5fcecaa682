//! How a connection is made: the name is resolved, every address looked at, and the socket opened to those very
//! addresses. There is no second look-up that a hostile name server could answer differently.

use std::future::Future;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use std::vec;

use http::Uri;
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower::{Service, ServiceExt};

use crate::counted::{Counted, Counts, Standing};
use crate::error::{EgressError, Phase};
use crate::guard::Admission;

/// Where the addresses of a name come from.
#[derive(Clone)]
pub(crate) enum Lookup {
    /// The system's resolver.
    System,
    /// Answers of a test's name server, one for each look-up.
    #[cfg(test)]
    Scripted(std::sync::Arc<std::sync::Mutex<std::collections::VecDeque<Vec<IpAddr>>>>),
}

/// Resolves names, and refuses those that lead inside.
#[derive(Clone)]
pub(crate) struct Resolver {
    pub(crate) lookup: Lookup,
    pub(crate) admission: Admission,
}

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

impl Resolver {
    /// The addresses of `host`, all of them public or allowed by name.
    ///
    /// One private address among public ones refuses the name: which of them is called would be chance.
    pub(crate) async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, EgressError> {
        if let Some(literal) = literal(host) {
            return self.admit(host, vec![literal]);
        }
        let addresses = match &self.lookup {
            Lookup::System => tokio::net::lookup_host((host, 0))
                .await
                .map(|found| found.map(|address| address.ip()).collect())
                .map_err(|_| EgressError::Unresolvable(host.to_owned()))?,
            #[cfg(test)]
            Lookup::Scripted(answers) => answers.lock().unwrap().pop_front().unwrap_or_default(),
        };
        self.admit(host, addresses)
    }

    fn admit(&self, host: &str, addresses: Vec<IpAddr>) -> Result<Vec<IpAddr>, EgressError> {
        if addresses.is_empty() {
            return Err(EgressError::Unresolvable(host.to_owned()));
        }
        if !addresses.iter().copied().all(|address| self.admission.admits(address)) {
            return Err(EgressError::PrivateAddress(host.to_owned()));
        }
        Ok(addresses)
    }

    /// Refuses a host that is itself a private address. Names are looked at when they are resolved.
    pub(crate) fn admit_literal(&self, host: &str) -> Result<(), EgressError> {
        match literal(host) {
            Some(address) => self.admit(host, vec![address]).map(drop),
            None => Ok(()),
        }
    }
}

/// The address that a URL's host is, if it isn't a name.
fn literal(host: &str) -> Option<IpAddr> {
    host.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

impl Service<Name> for Resolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = EgressError;
    type Future = BoxFuture<Result<Self::Response, EgressError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), EgressError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let resolver = self.clone();
        Box::pin(async move {
            let addresses = resolver.addresses(name.as_str()).await?;
            Ok(addresses
                .into_iter()
                .map(|address| SocketAddr::new(address, 0))
                .collect::<Vec<_>>()
                .into_iter())
        })
    }
}

impl reqwest::dns::Resolve for Resolver {
    fn resolve(&self, name: reqwest::dns::Name) -> reqwest::dns::Resolving {
        let resolver = self.clone();
        Box::pin(async move {
            let addresses = resolver.addresses(name.as_str()).await?;
            let sockets = addresses.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(sockets) as reqwest::dns::Addrs)
        })
    }
}

/// Makes connections, those of the pools too: guard, TCP and TLS within one time limit.
#[derive(Clone)]
pub(crate) struct Connector {
    resolver: Resolver,
    tls: HttpsConnector<HttpConnector<Resolver>>,
    timeout: Duration,
    counts: Counts,
}

impl Connector {
    pub(crate) fn new(
        resolver: Resolver,
        tls: rustls::ClientConfig,
        timeout: Duration,
        counts: Counts,
    ) -> Self {
        let mut http = HttpConnector::new_with_resolver(resolver.clone());
        http.enforce_http(false);
        http.set_nodelay(true);
        http.set_keepalive(Some(Duration::from_mins(1)));
        let tls = hyper_rustls::HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_all_versions()
            .wrap_connector(http);
        Self { resolver, tls, timeout, counts }
    }

    /// A connection without TLS that is in no pool, to the host and port of an `http` address.
    pub(crate) async fn plain(&self, uri: Uri) -> Result<(TcpStream, Standing), EgressError> {
        let connected = self.clone().oneshot(uri).await;
        let connected = connected.map_err(|error| EgressError::classify(&error, EgressError::Connect))?;
        match connected.into_parts() {
            (MaybeHttpsStream::Http(stream), standing) => Ok((stream.into_inner(), standing)),
            (MaybeHttpsStream::Https(_), _) => Err(EgressError::Unsendable("it is not plain".to_owned())),
        }
    }
}

impl Service<Uri> for Connector {
    type Response = Counted<MaybeHttpsStream<TokioIo<TcpStream>>>;
    type Error = io::Error;
    type Future = BoxFuture<Result<Self::Response, io::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), io::Error>> {
        self.tls.poll_ready(cx).map_err(io::Error::other)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        // The connector below asks the resolver about names only, so an address is looked at here.
        if let Err(refused) = self.resolver.admit_literal(uri.host().unwrap_or_default()) {
            return Box::pin(async { Err(io::Error::other(refused)) });
        }
        let connecting = self.tls.call(uri);
        let (timeout, counts) = (self.timeout, self.counts.clone());
        Box::pin(async move {
            counts.count(match tokio::time::timeout(timeout, connecting).await {
                Ok(connected) => connected.map_err(io::Error::other),
                Err(_) => Err(io::Error::other(EgressError::Timeout(Phase::Connect))),
            })
        })
    }
}
