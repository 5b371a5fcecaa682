//! One run of the server: a process in a group of its own, lines in, lines out, its errors in the log.

use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use tokio_util::codec::{FramedRead, LinesCodec, LinesCodecError};
use tokio_util::sync::CancellationToken;

use crate::governor::Governor;
use crate::settings::Settings;

/// Lines under way in either direction.
const UNDER_WAY: usize = 64;
/// Bytes of a line of the server's errors that are logged as one.
const MAX_LOGGED: u64 = 8 * 1024;

/// A running process. Dropped, it is ended: its input first, then by signal.
#[derive(Debug)]
pub(crate) struct Child {
    input: mpsc::Sender<Bytes>,
    stop: CancellationToken,
    ended: watch::Receiver<Option<Arc<str>>>,
}

impl Drop for Child {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Child {
    /// Starts the server; `name` is what the log calls this run. The receiver brings what it says, line by line, and
    /// ends with it.
    pub fn start(
        settings: &Settings,
        governor: &Arc<Governor>,
        name: &str,
    ) -> std::io::Result<(Self, mpsc::Receiver<Bytes>)> {
        let mut process = Command::new(&settings.program)
            .args(&settings.arguments)
            .env_clear()
            .envs(settings.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A signal then reaches what it starts itself, as `npx` does; and Ctrl-C reaches us alone.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let (input, lines) = mpsc::channel(UNDER_WAY);
        let (output, said) = mpsc::channel(UNDER_WAY);
        let (ending, ended) = watch::channel(None);
        let stop = CancellationToken::new();
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (process.stdin.take(), process.stdout.take(), process.stderr.take())
        else {
            return Err(std::io::Error::other("the process has no pipes"));
        };
        tracing::info!(child = name, pid = process.id(), "started the server");
        tokio::spawn(log(stderr, name.to_owned()));
        let writing = tokio::spawn(write(stdin, lines));
        let run = Run {
            name: name.to_owned(),
            process,
            grace: settings.grace,
            stop: stop.clone(),
            governor: Arc::clone(governor),
            started: Instant::now(),
        };
        let max_line = settings.max_line;
        tokio::spawn(async move {
            let why = tokio::select! {
                why = read(stdout, output, max_line) => why,
                () = run.stop.cancelled() => None,
            };
            // Closes the input, which asks it to end.
            writing.abort();
            ending.send_replace(Some(run.end(why).await));
        });
        Ok((Self { input, stop, ended }, said))
    }

    /// Writes a line; false if there is nobody to read it.
    pub async fn write(&self, line: Bytes) -> bool {
        self.input.send(line).await.is_ok()
    }

    /// Writes a line where nothing can be waited for.
    pub fn write_soon(&self, line: Bytes) {
        let _ = self.input.try_send(line);
    }

    /// Asks it to end.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Waits until it has ended, and says how.
    pub async fn ended(&self) -> Arc<str> {
        let mut ended = self.ended.clone();
        match ended.wait_for(Option::is_some).await {
            Ok(how) => how.clone().unwrap_or_default(),
            Err(_) => Arc::from("its end was not seen"),
        }
    }
}

/// What the end of a process needs.
struct Run {
    name: String,
    process: tokio::process::Child,
    grace: Duration,
    stop: CancellationToken,
    governor: Arc<Governor>,
    started: Instant,
}

impl Run {
    /// Sees to it that the process and its group are gone; says how it ended. `why` is the fault that ended it, if one did.
    async fn end(mut self, why: Option<&'static str>) -> Arc<str> {
        let group = self.process.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        let mut status = self.wait().await;
        for signal in [Signal::TERM, Signal::KILL] {
            // Also where the process itself is gone: what it started may have stayed.
            if let Some(group) = group {
                let _ = kill_process_group(group, signal);
            }
            if status.is_none() {
                status = self.wait().await;
            }
        }
        let how = match (why, status) {
            (Some(why), _) => why.to_owned(),
            (None, Some(status)) => status.to_string(),
            (None, None) => "it does not end".to_owned(),
        };
        if self.stop.is_cancelled() {
            tracing::info!(child = self.name, "stopped the server ({how})");
        } else {
            tracing::warn!(child = self.name, "the server ended by itself ({how})");
            self.governor.ended(Instant::now(), self.started.elapsed());
        }
        how.into()
    }

    async fn wait(&mut self) -> Option<ExitStatus> {
        tokio::time::timeout(self.grace, self.process.wait()).await.ok()?.ok()
    }
}

async fn write(mut stdin: ChildStdin, mut lines: mpsc::Receiver<Bytes>) {
    while let Some(line) = lines.recv().await {
        if stdin.write_all(&line).await.is_err() || stdin.flush().await.is_err() {
            return;
        }
    }
}

/// Reads until the process says no more; what it did wrong, if that ends it.
async fn read(stdout: ChildStdout, output: mpsc::Sender<Bytes>, max: usize) -> Option<&'static str> {
    let mut lines = FramedRead::new(stdout, LinesCodec::new_with_max_length(max));
    while let Some(line) = lines.next().await {
        let line = match line {
            Ok(line) => line,
            Err(LinesCodecError::MaxLineLengthExceeded) => return Some("it wrote a line that is too long"),
            Err(LinesCodecError::Io(_)) => return Some("it wrote what is not UTF-8"),
        };
        if !line.trim().is_empty() && output.send(line.into()).await.is_err() {
            return None;
        }
    }
    None
}

async fn log(stderr: ChildStderr, name: String) {
    let mut reader = BufReader::new(stderr);
    let mut line = Vec::new();
    loop {
        line.clear();
        // A longer line comes in pieces, so that it is never held whole.
        match (&mut reader).take(MAX_LOGGED).read_until(b'\n', &mut line).await {
            Ok(0) | Err(_) => return,
            Ok(_) => tracing::info!(child = name, "server: {}", String::from_utf8_lossy(&line).trim_end()),
        }
    }
}
