//! The processes of all stateless requests: started with the first of them, asked what the server speaks, and started anew with
//! the next when they have ended. One serves everybody, if the server speaks 2026-07-28 or its clients can't be asked
//! anything. Else those who offer the same have one of their own, and a call that may be asked has one to itself.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use mcp::headers::ParamHeaders;
use mcp::{Id, Malformed, Request, ToolCall, Version};
use serde_json::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use crate::board::{Board, Original, Said, Turn, Use};
use crate::governor::Governor;
use crate::offer::Offer;
use crate::refusal::Refusal;
use crate::sessions::started;
use crate::settings::Settings;
use crate::translate::{INITIALIZED, Introduction, discover, initialize};

/// How long it may take to introduce itself: `npx` may have to fetch it first.
const INTRODUCED: Duration = Duration::from_mins(2);

/// Tools that are remembered.
const MOST_TOOLS: usize = 10_000;

/// What the server speaks.
#[derive(Debug, Clone)]
pub(crate) enum Dialect {
    /// 2026-07-28: its messages pass as they are.
    Modern,
    /// An older revision: its messages are translated.
    Legacy(Arc<Introduction>),
}

/// A process and what it speaks.
#[derive(Debug, Clone)]
pub(crate) struct Partner {
    pub board: Arc<Board>,
    pub dialect: Dialect,
    mirrored: Arc<Mirrored>,
    _room: Arc<OwnedSemaphorePermit>,
}

/// Which arguments of the tools that the server has listed are mirrored into headers.
type Mirrored = Mutex<HashMap<String, ParamHeaders>>;

impl Partner {
    /// Holds the headers that mirror arguments against the call, as far as the tool is known.
    pub fn check(&self, head: &HeaderMap, request: &Request<'_>) -> Result<(), Refusal> {
        if request.method != "tools/call" {
            return Ok(());
        }
        let call = ToolCall::read(request)?;
        let mirrored = locked(&self.mirrored);
        let Some(headers) = mirrored.get(call.name) else { return Ok(()) };
        headers
            .check(head, &call)
            .map_err(|refused| Malformed { id: Some(request.id.clone()), ..refused }.into())
    }

    /// Learns from a list of tools. A client that was never shown a tool can't know its headers either.
    pub fn learn(&self, line: &[u8]) {
        let message: Value = serde_json::from_slice(line).unwrap_or_default();
        let mut mirrored = locked(&self.mirrored);
        for tool in message["result"]["tools"].as_array().into_iter().flatten() {
            if mirrored.len() >= MOST_TOOLS {
                mirrored.clear();
            }
            if let Some(name) = tool["name"].as_str() {
                mirrored.insert(name.to_owned(), ParamHeaders::of(&tool["inputSchema"]));
            }
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The processes of those who offer the same, the first of them for what is never asked about.
type Cohort = Arc<tokio::sync::Mutex<Vec<Partner>>>;

/// What was found of the server, by whichever process said so last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speaks {
    Newer,
    /// Or it ended when it was asked for the newer revision.
    Older,
}

/// All processes of stateless requests.
#[derive(Debug)]
pub(crate) struct Shared {
    cohorts: Mutex<HashMap<Offer, Cohort>>,
    speaks: Mutex<Option<Speaks>>,
    /// Held by whoever finds out what the server speaks.
    asking: tokio::sync::Mutex<()>,
    room: Arc<Semaphore>,
    mirrored: Arc<Mirrored>,
}

impl Shared {
    /// None yet; at most so many at once.
    pub fn new(most: usize) -> Self {
        Self {
            cohorts: Mutex::default(),
            speaks: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
            room: Arc::new(Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS))),
            mirrored: Arc::default(),
        }
    }

    /// A process for a request of a client that offers this, which may be asked back if it `asks`: then with the turn to be.
    pub async fn partner(
        &self,
        settings: &Settings,
        governor: &Arc<Governor>,
        offer: Offer,
        asks: bool,
    ) -> Result<(Partner, Option<Turn>), Refusal> {
        let first = if self.speaks().is_none() { Some(self.asking.lock().await) } else { None };
        // Whoever held it before may have found out.
        let offer = if self.speaks() == Some(Speaks::Newer) { Offer::NONE } else { offer };
        let asks = asks && offer != Offer::NONE;
        let cohort = self.cohort(offer);
        let mut members = cohort.lock().await;
        members.retain(|partner| partner.board.usable());
        for partner in members.iter() {
            let turn = asks.then(|| partner.board.claim());
            if turn.as_ref().is_none_or(Option::is_some) {
                return Ok((partner.clone(), turn.flatten()));
            }
        }
        if !members.is_empty() {
            // All are taken. The others of this cohort need not wait for one more.
            drop(members);
            let partner = self.meet(settings, governor, offer).await?;
            let turn = partner.board.claim();
            cohort.lock().await.push(partner.clone());
            return Ok((partner, turn));
        }
        let partner = self.meet(settings, governor, offer).await?;
        if offer != Offer::NONE && self.speaks() == Some(Speaks::Newer) {
            self.cohort(Offer::NONE).lock().await.push(partner.clone());
            drop(first);
            return Ok((partner, None));
        }
        let turn = if asks { partner.board.claim() } else { None };
        members.push(partner.clone());
        Ok((partner, turn))
    }

    fn speaks(&self) -> Option<Speaks> {
        *locked(&self.speaks)
    }

    fn cohort(&self, offer: Offer) -> Cohort {
        Arc::clone(locked(&self.cohorts).entry(offer).or_default())
    }

    /// Starts a process and finds out what it speaks.
    async fn meet(
        &self,
        settings: &Settings,
        governor: &Arc<Governor>,
        offer: Offer,
    ) -> Result<Partner, Refusal> {
        let room = Arc::clone(&self.room).try_acquire_owned().map_err(|_| Refusal::TooManyCalls)?;
        let start = || started(settings, governor, "shared", Use::Shared(offer));
        let mut board = start()?;
        let known = self.speaks() == Some(Speaks::Older);
        let met = match if known { Ok(None) } else { probe(&board, offer, settings.thinks).await } {
            Ok(Some(dialect)) => Ok(dialect),
            Ok(None) => introduce(&board, offer).await,
            Err(_) => {
                *locked(&self.speaks) = Some(Speaks::Older);
                if let Err(wait) = governor.admit(Instant::now()) {
                    tokio::time::sleep(wait).await;
                }
                board = start()?;
                introduce(&board, offer).await
            }
        };
        match met {
            Ok(dialect) => {
                let speaks = if matches!(dialect, Dialect::Modern) { Speaks::Newer } else { Speaks::Older };
                *locked(&self.speaks) = Some(speaks);
                Ok(Partner { board, dialect, mirrored: Arc::clone(&self.mirrored), _room: Arc::new(room) })
            }
            Err(refusal) => {
                board.stop().await;
                Err(refusal)
            }
        }
    }

    fn all(&self) -> Vec<Cohort> {
        locked(&self.cohorts).values().cloned().collect()
    }

    /// Ends the processes that nobody has used for so long.
    pub async fn end_idle(&self, long: Duration) {
        for cohort in self.all() {
            // Where one is being started, something is used.
            let Ok(mut members) = cohort.try_lock() else { continue };
            let idle = members.extract_if(.., |partner| partner.board.idle() >= long).collect::<Vec<_>>();
            drop(members);
            futures_util::future::join_all(idle.iter().map(|partner| partner.board.stop())).await;
        }
    }

    /// Ends all of them.
    pub async fn end(&self) {
        for cohort in self.all() {
            let members = std::mem::take(&mut *cohort.lock().await);
            futures_util::future::join_all(members.iter().map(|partner| partner.board.stop())).await;
        }
    }
}

/// Asks for the newer revision: nothing if the server does not speak it, and was not introduced yet.
async fn probe(board: &Arc<Board>, offer: Offer, thinks: Duration) -> Result<Option<Dialect>, Refusal> {
    let mut discovering = pin!(ask(board, discover));
    let Ok(answer) = tokio::time::timeout(thinks, &mut discovering).await else {
        // It leaves unanswered what it does not know, or is slow to start: the answer that it gives says which.
        let mut introducing = pin!(introduce(board, offer));
        return tokio::select! {
            biased;
            answer = &mut discovering => {
                if is_newer(&answer?) { Ok(Some(Dialect::Modern)) } else { introducing.await.map(Some) }
            }
            met = &mut introducing => met.map(Some),
        };
    };
    Ok(is_newer(&answer?).then_some(Dialect::Modern))
}

/// Whether an answer to `server/discover` offers the newer revision.
fn is_newer(answer: &Value) -> bool {
    let versions = answer["result"]["supportedVersions"].as_array();
    versions.is_some_and(|all| all.iter().any(|one| *one == Version::V2026_07_28.as_str()))
}

/// The handshake of the older revisions.
async fn introduce(board: &Arc<Board>, offer: Offer) -> Result<Dialect, Refusal> {
    let answered = tokio::time::timeout(INTRODUCED, ask(board, |key| initialize(key, offer))).await;
    let answer = answered.map_err(|_| Refusal::Speechless)??;
    let result = answer.get("result").ok_or(Refusal::Speechless)?;
    board.write(INITIALIZED).await?;
    Ok(Dialect::Legacy(Arc::new(Introduction::read(result))))
}

/// Puts a question of our own to the server.
async fn ask(board: &Arc<Board>, question: impl FnOnce(&Id) -> Bytes) -> Result<Value, Refusal> {
    let original = Original { id: Id::Number(0), progress: None };
    let mut exchange = board.ask(original, None, question).await?;
    loop {
        match exchange.next().await {
            Said::Answer(line) => return serde_json::from_slice(&line).map_err(|_| Refusal::Speechless),
            Said::End(over) => return Err(over.into()),
            Said::Note(_) | Said::Question(_) => {}
        }
    }
}
