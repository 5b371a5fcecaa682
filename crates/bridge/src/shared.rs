//! The process that all stateless requests share: started with the first of them, asked what it speaks, and started anew with
//! the next when it has ended.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use mcp::headers::ParamHeaders;
use mcp::{Id, Malformed, Request, ToolCall, Version};
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::board::{Board, NotAsked, Original, Use};
use crate::governor::Governor;
use crate::refusal::Refusal;
use crate::sessions::started;
use crate::settings::Settings;
use crate::translate::{INITIALIZED, Introduction, discover, initialize};

/// How long a server may think about what it speaks. One of the older revisions may leave a question unanswered that it
/// does not know.
const PROBED: Duration = Duration::from_secs(5);
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

/// The process and what it speaks.
#[derive(Debug, Clone)]
pub(crate) struct Partner {
    pub board: Arc<Board>,
    pub dialect: Dialect,
    /// Which arguments of the tools that it has listed are mirrored into headers.
    mirrored: Arc<std::sync::Mutex<HashMap<String, ParamHeaders>>>,
}

impl Partner {
    fn new(board: Arc<Board>, dialect: Dialect) -> Self {
        Self { board, dialect, mirrored: Arc::default() }
    }

    /// Holds the headers that mirror arguments against the call, as far as the tool is known.
    pub fn check(&self, head: &HeaderMap, request: &Request<'_>) -> Result<(), Refusal> {
        let call = ToolCall::read(request)?;
        let mirrored = self.mirrored.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(headers) = mirrored.get(call.name) else { return Ok(()) };
        headers
            .check(head, &call)
            .map_err(|refused| Malformed { id: Some(request.id.clone()), ..refused }.into())
    }

    /// Learns from a list of tools. A client that was never shown a tool can't know its headers either.
    pub fn learn(&self, line: &[u8]) {
        let message: Value = serde_json::from_slice(line).unwrap_or_default();
        let mut mirrored = self.mirrored.lock().unwrap_or_else(PoisonError::into_inner);
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

/// The shared process, if there is one.
#[derive(Debug, Default)]
pub(crate) struct Shared(Mutex<Slot>);

#[derive(Debug, Default)]
struct Slot {
    partner: Option<Partner>,
    /// A process ended when it was asked for the newer revision: the next is not asked.
    shy: bool,
}

impl Shared {
    /// The process that lives, or a new one.
    pub async fn partner(&self, settings: &Settings, governor: &Arc<Governor>) -> Result<Partner, Refusal> {
        let mut slot = self.0.lock().await;
        if let Some(partner) = slot.partner.as_ref().filter(|partner| partner.board.over().is_none()) {
            return Ok(partner.clone());
        }
        slot.partner = None;
        let mut board = started(settings, governor, "shared", Use::Shared)?;
        let met = match if slot.shy { Ok(None) } else { probe(&board).await } {
            Ok(Some(dialect)) => Ok(dialect),
            Ok(None) => introduce(&board).await,
            Err(_) => {
                slot.shy = true;
                if let Err(wait) = governor.admit(Instant::now()) {
                    tokio::time::sleep(wait).await;
                }
                board = started(settings, governor, "shared", Use::Shared)?;
                introduce(&board).await
            }
        };
        match met {
            Ok(dialect) => {
                let partner = Partner::new(board, dialect);
                slot.partner = Some(partner.clone());
                Ok(partner)
            }
            Err(refusal) => {
                board.stop().await;
                Err(refusal)
            }
        }
    }

    /// Ends the process if nobody has used it for so long.
    pub async fn end_idle(&self, long: Duration) {
        let mut slot = self.0.lock().await;
        if let Some(partner) = slot.partner.take_if(|partner| partner.board.idle() >= long) {
            partner.board.stop().await;
        }
    }

    /// Ends the process.
    pub async fn end(&self) {
        if let Some(partner) = self.0.lock().await.partner.take() {
            partner.board.stop().await;
        }
    }
}

/// Asks for the newer revision: nothing if the server does not speak it.
async fn probe(board: &Arc<Board>) -> Result<Option<Dialect>, Refusal> {
    let answered = tokio::time::timeout(PROBED, ask(board, discover)).await;
    let Ok(answer) = answered else { return Ok(None) };
    let answer = answer?;
    let versions = answer["result"]["supportedVersions"].as_array();
    let speaks = versions.is_some_and(|all| all.iter().any(|one| *one == Version::V2026_07_28.as_str()));
    Ok(speaks.then_some(Dialect::Modern))
}

/// The handshake of the older revisions.
async fn introduce(board: &Arc<Board>) -> Result<Dialect, Refusal> {
    let answered = tokio::time::timeout(INTRODUCED, ask(board, initialize)).await;
    let answer = answered.map_err(|_| Refusal::Speechless)??;
    let result = answer.get("result").ok_or(Refusal::Speechless)?;
    board.write(INITIALIZED).await?;
    Ok(Dialect::Legacy(Arc::new(Introduction::read(result))))
}

/// Puts a question of our own to the server.
async fn ask(board: &Arc<Board>, question: impl FnOnce(&Id) -> Bytes) -> Result<Value, Refusal> {
    let original = Original { id: Id::Number(0), progress: None };
    let mut exchange = board.ask(original, question).await.map_err(|not| match not {
        NotAsked::Over(over) => Refusal::from(over),
        NotAsked::SameId => Refusal::SameId,
    })?;
    match (&mut exchange.answer).await {
        Ok(line) => serde_json::from_slice(&line).map_err(|_| Refusal::Speechless),
        Err(_) => Err(exchange.broken_off().await.into()),
    }
}
