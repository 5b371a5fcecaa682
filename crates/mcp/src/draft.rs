//! One message of an upstream on its way to the client: read once, looked at and changed by whoever has to, written once.

use std::cell::Cell;

use domain::{Surface, Surfaces};
use json::Value;

use crate::edit::{Edits, json_text};
use crate::lists::{Filter, keep_private};
use crate::methods::{Asked, asked};
use crate::server::{ServerMessage, message, messages};
use crate::tasks::{Names, places};
use crate::{Id, Unreadable, code, handshake, links, listen, server};

/// A message (or an array of them, in 2025-03-26), with the changes that are to be made to it.
pub struct Draft<'a> {
    body: &'a [u8],
    value: Value<'a>,
    edits: Edits,
}

/// One thing that a modern message asks of the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asks {
    /// The name that the answer goes by.
    pub name: String,
    /// What it is about.
    pub surface: Surface,
    /// The upstream's id of the task that asks, if it is one.
    pub task: Option<String>,
}

/// What stands between a message and the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TaskNames {
    /// Nothing: every task in it has a name for the client.
    Known,
    /// It is about a task that is not the client's.
    Foreign,
}

impl<'a> Draft<'a> {
    /// Reads an HTTP body or the data of one event.
    ///
    /// # Errors
    /// [`Unreadable`]: not JSON without doubt.
    pub fn read(body: &'a [u8]) -> Result<Self, Unreadable> {
        Ok(Self { body, value: server::parse(body)?, edits: Edits::default() })
    }

    /// What it says, in as many messages as it has.
    ///
    /// # Errors
    /// [`Unreadable`]: not a message.
    pub fn messages(&self) -> Result<Vec<ServerMessage>, Unreadable> {
        messages(&self.value).iter().map(message).collect()
    }

    /// The tools in every list of them, by name.
    pub fn tools(&self) -> impl Iterator<Item = (&str, &Value<'a>)> {
        let results = messages(&self.value).iter().filter_map(|message| message.get("result")?.get("tools"));
        let tools = results.flat_map(|tools| tools.as_array().unwrap_or_default());
        tools.filter_map(|tool| Some((tool.get("name")?.as_str()?, tool)))
    }

    /// Takes tools out of every list of tools.
    pub fn filter(&mut self, filter: &Filter<'_>) {
        for result in messages(&self.value).iter().filter_map(|message| message.get("result")) {
            filter.edit(result, &mut self.edits);
        }
    }

    /// Marks what may be kept as one caller's own.
    pub fn keep_private(&mut self, max_ttl_ms: u64) {
        for result in messages(&self.value).iter().filter_map(|message| message.get("result")) {
            let cacheable = result.get("ttlMs").is_some() || result.get("cacheScope").is_some();
            if cacheable && result.get("tools").is_none() {
                keep_private(result, max_ttl_ms, &mut self.edits);
            }
        }
    }

    /// Seals `requestState`. What asks the client for something gets one where the upstream gave none.
    ///
    /// # Errors
    /// [`Unreadable`]: a state that is not a text, or that `wrap` can't seal.
    pub fn wrap_state(
        &mut self,
        wrap: impl FnOnce(Option<&str>) -> Option<String>,
    ) -> Result<(), Unreadable> {
        let Some(result) = self.value.get("result") else { return Ok(()) };
        let state = result.get("requestState");
        if state.is_none() && result.get("inputRequests").is_none_or(Value::is_null) {
            return Ok(());
        }
        let upstream = state.map(|state| state.as_str().ok_or(Unreadable::MESSAGE)).transpose()?;
        let wrapped = wrap(upstream).ok_or(Unreadable("its state can't be sealed"))?;
        self.edits.set(result, "requestState", &json_text(&wrapped));
        Ok(())
    }

    /// What a modern message asks of the client (`inputRequests`, of a result or of a task).
    ///
    /// # Errors
    /// [`Unreadable`]: it asks for what no client is asked for.
    pub fn asks(&self) -> Result<Vec<Asks>, Unreadable> {
        let mut asks = Vec::new();
        for message in messages(&self.value) {
            for holder in [message.get("result"), message.get("params")].into_iter().flatten() {
                let Some(requests) = holder.get("inputRequests").filter(|requests| !requests.is_null())
                else {
                    continue;
                };
                let task = holder.get("taskId").and_then(Value::as_str);
                for request in requests.as_object().ok_or(Unreadable::MESSAGE)?.members() {
                    let method = request.value.get("method").and_then(Value::as_str).unwrap_or_default();
                    let Asked::Surface(surface) = asked(method) else {
                        return Err(Unreadable("it asks the client for what is not known"));
                    };
                    let (name, task) = (request.key.clone().into_owned(), task.map(str::to_owned));
                    asks.push(Asks { name, surface, task });
                }
            }
        }
        Ok(asks)
    }

    /// Whether it would send the person at the client to an address that is not of the web: a script, a file, a program.
    pub fn leads_astray(&self) -> bool {
        messages(&self.value).iter().any(|message| links::of(message).any(|link| !links::is_of_the_web(link)))
    }

    /// The ids of the requests that the server takes back.
    pub fn cancels(&self) -> Vec<Id> {
        let cancelled = messages(&self.value).iter().filter(|message| {
            message.get("method").and_then(Value::as_str) == Some("notifications/cancelled")
        });
        cancelled.filter_map(|message| Id::read(message.get("params")?.get("requestId")?)).collect()
    }

    /// The places of the messages that ask for a person by an error ([`code::URL_ELICITATION_REQUIRED`]), with the id that each
    /// answers. A code that is written otherwise counts too: some clients read it all the same.
    pub fn asks_by_error(&self) -> Vec<(usize, Option<Id>)> {
        let is_asking = |message: &Value<'_>| {
            let error = message.get("error")?.get("code")?;
            let written = error.as_number().map(json::Number::text).or_else(|| error.as_str())?;
            let asks = written.trim().parse::<f64>() == Ok(f64::from(code::URL_ELICITATION_REQUIRED));
            asks.then(|| message.get("id").and_then(Id::read))
        };
        let places = messages(&self.value).iter().enumerate();
        places.filter_map(|(place, message)| Some((place, is_asking(message)?))).collect()
    }

    /// Puts another message in the place of one.
    pub fn replace(&mut self, place: usize, message: Vec<u8>) {
        if let Some(replaced) = messages(&self.value).get(place) {
            self.edits.replace(replaced.span, message);
        }
    }

    /// The upstream's ids of the tasks that it names. `replies`: see [`crate::tasks`].
    ///
    /// # Errors
    /// [`Unreadable`]: an id that is not a text.
    pub fn tasks(&self, replies: bool) -> Result<Vec<&str>, Unreadable> {
        let mut ids = Vec::new();
        for message in messages(&self.value) {
            let places = places(message, replies);
            for place in places.own {
                ids.push(place.as_str().ok_or(Unreadable::MESSAGE)?);
            }
            let listed = places.list.and_then(Value::as_array).unwrap_or_default();
            ids.extend(listed.iter().filter_map(|task| task.get("taskId").and_then(Value::as_str)));
        }
        Ok(ids)
    }

    /// Puts the client's names of tasks in the place of the upstream's; tasks without one are left out of lists.
    pub fn rename_tasks(&mut self, names: &Names, replies: bool) -> TaskNames {
        let name_of = |id: &Value<'_>| id.as_str().and_then(|id| names.get(id));
        for message in messages(&self.value) {
            let places = places(message, replies);
            for place in places.own {
                let Some(name) = name_of(place) else { return TaskNames::Foreign };
                self.edits.replace(place.span, json_text(name));
            }
            let Some(list) = places.list else { continue };
            let is_own = |task: &Value<'_>| task.get("taskId").and_then(name_of).is_some();
            self.edits.retain_elements(list, is_own);
            for task in list.as_array().unwrap_or_default().iter().filter(|task| is_own(task)) {
                if let Some((id, name)) = task.get("taskId").and_then(|id| Some((id, name_of(id)?))) {
                    self.edits.replace(id.span, json_text(name));
                }
            }
        }
        TaskNames::Known
    }

    /// How long the upstream keeps the task that it has made, in milliseconds, if it says so.
    pub fn task_lives(&self) -> Option<u64> {
        let result = self.value.get("result")?;
        let task = result.get("task").unwrap_or(result);
        let ttl = task.get("ttlMs").or_else(|| task.get("ttl"))?;
        ttl.as_number()?.text().parse().ok()
    }

    /// Whether it is the answer to a call that made a task.
    pub fn makes_a_task(&self) -> bool {
        self.value.get("result").is_some_and(|result| {
            result.get("task").is_some_and(|task| task.get("taskId").is_some())
                || result.get("resultType").and_then(Value::as_str) == Some("task")
        })
    }

    /// Whether it acknowledges that changes of the list of tools are told.
    pub fn acknowledges_tools(&self) -> bool {
        listen::acknowledges_tools(&self.value)
    }

    /// Takes messages out of an array of them; `keep` is given their places. One that stands alone is no array.
    pub fn retain(&mut self, keep: impl Fn(usize) -> bool) {
        let place = Cell::new(0);
        self.edits.retain_elements(&self.value, |_| keep(place.replace(place.get() + 1)));
    }

    /// The answer to an `initialize`, less what is closed; see [`handshake::initialized`].
    pub fn initialized(&mut self, open: Surfaces) -> Result<Option<handshake::Initialized>, Unreadable> {
        handshake::settle(&self.value, open, &mut self.edits)
    }

    /// The answer to a `server/discover`, less what is closed; see [`handshake::discovered`].
    pub fn discovered(&mut self, open: Surfaces, max_ttl_ms: u64) -> Result<(), Unreadable> {
        handshake::discover(&self.value, open, max_ttl_ms, &mut self.edits)
    }

    /// The changed text; nothing if there is no change.
    pub fn finish(self) -> Option<Vec<u8>> {
        self.edits.apply(self.body)
    }
}
