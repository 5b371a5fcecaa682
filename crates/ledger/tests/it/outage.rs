//! A stand-in for a Redis that misbehaves, for the tests of the connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

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
