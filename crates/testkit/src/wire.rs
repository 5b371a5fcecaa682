//! A way to a service that a test can cut and mend: what an outage looks like from inside.

use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use url::Url;

/// A port of this machine that leads to a service.
#[derive(Debug)]
pub struct Wire {
    url: Url,
    state: watch::Sender<State>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    /// How often it was cut: a connection lasts as long as this stays the same.
    cuts: u64,
    open: bool,
    /// How many connections were let through.
    let_through: u64,
    /// The one of them that alone was broken, last.
    broken: u64,
}

impl Wire {
    /// A way to the service at `url`, which has a host and a port.
    ///
    /// # Panics
    /// When the address has neither, or no socket can be had.
    pub async fn to(url: &str) -> Self {
        let mut url: Url = url.parse().unwrap_or_else(|error| panic!("not an address: {error}"));
        let target = match (url.host_str(), url.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            _ => panic!("an address with host and port is needed"),
        };
        let listener =
            TcpListener::bind("127.0.0.1:0").await.unwrap_or_else(|error| panic!("no socket: {error}"));
        let port = listener.local_addr().map(|address| address.port()).ok();
        let placed = url.set_host(Some("127.0.0.1")).is_ok() && url.set_port(port).is_ok();
        assert!(placed, "an address with host and port is needed");
        let state = watch::Sender::new(State { open: true, ..State::default() });
        let wire = Self { url, state: state.clone() };
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                // Dropped where it is cut: who connects is hung up on.
                let State { open, let_through, .. } = *state.borrow();
                if open {
                    let number = let_through + 1;
                    state.send_modify(|state| state.let_through = number);
                    tokio::spawn(carry(near, target.clone(), number, state.subscribe()));
                }
            }
        });
        wire
    }

    /// The address to use instead.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// Breaks what stands and refuses what comes.
    pub fn cut(&self) {
        self.state.send_modify(|state| {
            state.cuts += 1;
            state.open = false;
        });
    }

    /// How many connections were let through so far.
    pub fn let_through(&self) -> u64 {
        self.state.borrow().let_through
    }

    /// Breaks the newest connection alone.
    pub fn break_newest(&self) {
        self.state.send_modify(|state| state.broken = state.let_through);
    }

    /// Lets through again what comes.
    pub fn mend(&self) {
        self.state.send_modify(|state| state.open = true);
    }
}

async fn carry(mut near: TcpStream, target: String, number: u64, mut state: watch::Receiver<State>) {
    let cuts = state.borrow().cuts;
    let Ok(mut far) = TcpStream::connect(target).await else { return };
    tokio::select! {
        _ = copy_bidirectional(&mut near, &mut far) => {}
        _ = state.wait_for(|state| state.cuts != cuts || state.broken == number) => {}
    }
}
