//! A stand-in for the network and for a Redis that misbehaves, for the tests of the connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A way to the real Redis that can be cut and mended.
pub struct Wire {
    pub url: String,
    cut: watch::Sender<bool>,
}

impl Wire {
    pub async fn to(url: &str) -> Self {
        let rest = url.strip_prefix("redis://").expect("a plain address").to_owned();
        let (user, host) = rest.split_once('@').map_or(("", rest.as_str()), |(user, host)| (user, host));
        let (host, database) = host.split_once('/').unwrap_or((host, ""));
        let host = host.to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = if user.is_empty() { String::new() } else { format!("{user}@") };
        let url = format!("redis://{at}{}/{database}", listener.local_addr().unwrap());
        let (cut, _) = watch::channel(false);
        let wire = Self { url, cut: cut.clone() };
        tokio::spawn(async move {
            loop {
                let Ok((mut near, _)) = listener.accept().await else { return };
                let mut cut = cut.subscribe();
                if *cut.borrow() {
                    continue;
                }
                let host = host.clone();
                tokio::spawn(async move {
                    let mut far = TcpStream::connect(host).await.unwrap();
                    tokio::select! {
                        _ = copy_bidirectional(&mut near, &mut far) => {}
                        _ = cut.wait_for(|cut| *cut) => {}
                    }
                });
            }
        });
        wire
    }

    /// Breaks what stands and refuses what comes.
    pub fn cut(&self) {
        self.cut.send_replace(true);
    }

    pub fn mend(&self) {
        self.cut.send_replace(false);
    }
}

/// What a scripted Redis says: its INFO, and the answer to everything else; it may also fall silent.
#[derive(Clone)]
pub struct Script {
    pub info: watch::Sender<String>,
    pub answer: watch::Sender<&'static str>,
    pub silent: Arc<AtomicBool>,
}

impl Script {
    /// Starts one that looks like a healthy primary.
    pub async fn start() -> (Self, String) {
        let script = Self {
            info: watch::Sender::new(info("first", "master")),
            answer: watch::Sender::new("+PONG\r\n"),
            silent: Arc::default(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        let served = script.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(served.clone().serve(stream));
            }
        });
        (script, url)
    }

    async fn serve(self, stream: TcpStream) {
        let (read, mut write) = stream.into_split();
        let mut read = BufReader::new(read);
        while let Some(command) = command(&mut read).await {
            let answer = match command.as_str() {
                "INFO" => {
                    let info = self.info.borrow().clone();
                    format!("${}\r\n{info}\r\n", info.len())
                }
                "CLIENT" | "HELLO" | "SELECT" => "+OK\r\n".to_owned(),
                _ => (*self.answer.borrow()).to_owned(),
            };
            if !self.silent.load(Ordering::SeqCst) && write.write_all(answer.as_bytes()).await.is_err() {
                return;
            }
        }
    }
}

pub fn info(run_id: &str, role: &str) -> String {
    format!(
        "redis_version:7.0.15\r\nrun_id:{run_id}\r\nmaxmemory:0\r\nmaxmemory_policy:noeviction\r\nloading:0\r\nrole:{role}\r\n"
    )
}

/// The name of the next command; its arguments are read over.
async fn command(read: &mut (impl AsyncBufReadExt + Unpin)) -> Option<String> {
    let mut name = None;
    for _ in 0..number(read, '*').await? {
        let mut bytes = vec![0; number(read, '$').await? + 2];
        read.read_exact(&mut bytes).await.ok()?;
        bytes.truncate(bytes.len() - 2);
        name.get_or_insert(String::from_utf8(bytes).ok()?);
    }
    name
}

async fn number(read: &mut (impl AsyncBufReadExt + Unpin), sign: char) -> Option<usize> {
    let mut line = String::new();
    read.read_line(&mut line).await.ok()?;
    line.trim_end().strip_prefix(sign)?.parse().ok()
}
