//! The client: its pools of kept-alive connections, and streams beside them.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use domain::UpstreamUrl;
use http::uri::Scheme;
use http::{Request, Response};
use http_body_util::Full;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use ipnet::IpNet;
use tokio::runtime::{Handle, Id};

use crate::body::{Body, Source};
use crate::connect::{Connector, Lookup, Resolver};
use crate::counted::Counts;
use crate::error::{EgressError, Phase};
use crate::guard::Admission;
use crate::stream;

/// How upstreams are called. There is no limit on how long an answer may take in all: streams last for hours.
#[derive(Clone, Debug)]
pub struct EgressConfig {
    /// Whether every address inside (loopback, private, link-local, ...) may be called, without TLS too: for an
    /// installation whose tenants are all trusted.
    pub allow_private: bool,
    /// Networks inside that may be called all the same.
    pub networks: Vec<IpNet>,
    /// Whether `http://` may be called.
    pub allow_http: bool,
    /// Name resolution, TCP and TLS together.
    pub connect_timeout: Duration,
    /// From the request to the head of its response, connecting included.
    pub first_byte_timeout: Duration,
    /// Between two pieces of a response's body.
    pub idle_timeout: Duration,
    /// A small document as a whole, connecting included.
    pub document_timeout: Duration,
    /// How long an unused connection is kept. Many servers of this protocol's ecosystem close one that was idle for 5
    /// seconds. Letting go of it first means that no request is written into a closing one, which would be lost and may
    /// not be repeated.
    pub pool_idle: Duration,
    /// Unused connections that are kept to each upstream, in each pool.
    pub pool_size: usize,
    /// Runtimes that keep connections of their own: an answer then goes from no thread to another. Others share a pool.
    pub runtimes: Vec<Id>,
}

impl Default for EgressConfig {
    /// Public addresses over TLS only; 5 s to connect, 2 minutes to begin to answer, 5 minutes between pieces; 10 s
    /// for a document; 1024 unused connections for 4 s.
    fn default() -> Self {
        Self {
            allow_private: false,
            networks: Vec::new(),
            allow_http: false,
            connect_timeout: Duration::from_secs(5),
            first_byte_timeout: Duration::from_mins(2),
            idle_timeout: Duration::from_mins(5),
            document_timeout: Duration::from_secs(10),
            pool_idle: Duration::from_secs(4),
            pool_size: 1024,
            runtimes: Vec::new(),
        }
    }
}

type Pool = legacy::Client<Connector, Full<Bytes>>;

/// Calls upstream servers. Cheap to clone; clones share their pools.
#[derive(Clone)]
pub struct Client {
    shared: Pool,
    own: Arc<[(Id, Pool)]>,
    /// Makes the connections of streams.
    connector: Connector,
    resolver: Resolver,
    tls: Arc<rustls::ClientConfig>,
    counts: Counts,
    config: EgressConfig,
}

impl Client {
    /// A client that trusts the issuers this machine trusts.
    pub fn new(config: EgressConfig) -> Result<Self, EgressError> {
        Self::with_lookup(config, Lookup::System)
    }

    pub(crate) fn with_lookup(config: EgressConfig, lookup: Lookup) -> Result<Self, EgressError> {
        let tls = trust_of_this_machine()?;
        let admission = Admission::new(config.allow_private, config.networks.clone());
        let resolver = Resolver { lookup, admission };
        let counts = Counts::new().map_err(|error| EgressError::Unsendable(error.to_string()))?;
        let connector = Connector::new(resolver.clone(), tls.clone(), config.connect_timeout, counts.clone());
        let pool = || pool(&connector, &config);
        let own = config.runtimes.iter().map(|runtime| (*runtime, pool())).collect();
        let shared = pool();
        Ok(Self { shared, own, connector, resolver, tls: Arc::new(tls), counts, config })
    }

    /// How long a small document may take as a whole.
    pub fn document_timeout(&self) -> Duration {
        self.config.document_timeout
    }

    /// Lets `registry` show how many connections stand, and how attempts to make one go.
    ///
    /// # Errors
    /// It shows others of these names.
    pub fn register(&self, registry: &prometheus::Registry) -> prometheus::Result<()> {
        self.counts.register(registry)
    }

    /// Whether the address can be called at all: its host resolves, and to where calls may go.
    pub async fn check(&self, url: &UpstreamUrl) -> Result<(), EgressError> {
        self.check_scheme(url.url().scheme())?;
        let host = url.url().host_str().unwrap_or_default();
        let looked_up = tokio::time::timeout(self.config.connect_timeout, self.resolver.addresses(host));
        looked_up.await.map_err(|_| EgressError::Timeout(Phase::Connect))?.map(drop)
    }

    /// Whether an address of this scheme may be called, or a person be sent there: `https`, and `http` where the
    /// installation allows it.
    pub fn check_scheme(&self, scheme: &str) -> Result<(), EgressError> {
        match scheme {
            "https" => Ok(()),
            "http" if self.config.allow_http || self.config.allow_private => Ok(()),
            "http" => Err(EgressError::Insecure),
            _ => Err(EgressError::Unsendable("only https can be called".to_owned())),
        }
    }

    /// A small document: the whole answer, if it has at most `max` bytes and is here within `within`.
    pub async fn fetch(
        &self,
        request: Request<Bytes>,
        max: usize,
        within: Duration,
    ) -> Result<Response<Bytes>, EgressError> {
        let fetching = async {
            let (head, body) = self.send(request).await?.into_parts();
            Ok(Response::from_parts(head, body.read(max).await?))
        };
        tokio::time::timeout(within, fetching).await.unwrap_or(Err(EgressError::Timeout(Phase::FirstByte)))
    }

    /// Sends one request and returns when the head of the response is here. Redirects are returned, not followed;
    /// nothing is repeated once a byte of the request has been written.
    pub async fn send(&self, request: Request<Bytes>) -> Result<Response<Body>, EgressError> {
        self.check_scheme(request.uri().scheme_str().unwrap_or_default())?;
        let sending = self.pool().request(request.map(Full::new));
        match tokio::time::timeout(self.config.first_byte_timeout, sending).await {
            Ok(Ok(response)) => Ok(response.map(|incoming| self.body(Source::Pool(incoming)))),
            Ok(Err(error)) => {
                let otherwise = if error.is_connect() { EgressError::Connect } else { EgressError::Broken };
                Err(EgressError::classify(&error, otherwise))
            }
            Err(_) => Err(EgressError::Timeout(Phase::FirstByte)),
        }
    }

    /// Sends one request whose answer is a stream that may be open for hours. As [`send`](Self::send), but where there is no TLS
    /// the request goes over a connection of its own, which takes up next to nothing while the stream is quiet. With TLS there may
    /// be HTTP/2, which needs no connection for each.
    pub async fn open(&self, request: Request<Bytes>) -> Result<Response<Body>, EgressError> {
        if request.uri().scheme() != Some(&Scheme::HTTP) {
            return self.send(request).await;
        }
        self.check_scheme(Scheme::HTTP.as_str())?;
        let opening = async {
            let connection = self.connector.plain(request.uri().clone()).await?;
            stream::exchange(connection, request).await
        };
        let opened = tokio::time::timeout(self.config.first_byte_timeout, opening).await;
        let response = opened.unwrap_or(Err(EgressError::Timeout(Phase::FirstByte)))?;
        Ok(response.map(|stream| self.body(Source::Own(Box::new(stream)))))
    }

    fn body(&self, source: Source) -> Body {
        Body::new(source, self.config.idle_timeout)
    }

    /// The pool of the runtime that calls.
    fn pool(&self) -> &Pool {
        let here = Handle::try_current().ok().map(|handle| handle.id());
        let own = self.own.iter().find(|(runtime, _)| Some(*runtime) == here);
        own.map_or(&self.shared, |(_, own)| own)
    }

    /// A `reqwest` client under the same rules, to call `url` with: for libraries that bring their own HTTP.
    pub fn http_client(&self, url: &UpstreamUrl) -> Result<reqwest::Client, EgressError> {
        self.check_scheme(url.url().scheme())?;
        // `reqwest` asks the resolver about names only.
        self.resolver.admit_literal(url.url().host_str().unwrap_or_default())?;
        reqwest::Client::builder()
            .tls_backend_preconfigured((*self.tls).clone())
            .dns_resolver(self.resolver.clone())
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .connect_timeout(self.config.connect_timeout)
            .read_timeout(self.config.idle_timeout)
            .build()
            .map_err(|error| EgressError::Unsendable(error.to_string()))
    }
}

/// Kept-alive connections.
fn pool(connector: &Connector, config: &EgressConfig) -> Pool {
    legacy::Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(config.pool_idle)
        .pool_max_idle_per_host(config.pool_size)
        .timer(TokioTimer::new())
        .http2_keep_alive_interval(Duration::from_secs(20))
        .http2_adaptive_window(true)
        .build(connector.clone())
}

fn trust_of_this_machine() -> Result<rustls::ClientConfig, EgressError> {
    let mut roots = rustls::RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    let (usable, _) = roots.add_parsable_certificates(found.certs);
    if usable == 0 {
        tracing::warn!("this machine trusts no certificate issuer: https upstreams can't be called");
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| EgressError::Unsendable(error.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(config)
}
