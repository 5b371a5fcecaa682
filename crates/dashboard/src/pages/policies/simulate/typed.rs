//! What was typed into the form of a simulation: the call and who makes it, filled in from the log or from a tool, and the
//! address that says all of it again.

use control::{CallContext, ClientContext, GrantContext, PolicySummary, ServerContext, Tool, placeholders};
use domain::{PolicyId, ServerId};
use serde_json::Value;
use url::form_urlencoded::Serializer;

use super::Source;
use crate::caller::Member;
use crate::error::ErrorPage;
use crate::form::Form;
use crate::state::DashboardState;

/// The longest query that is made: servers and proxies take addresses of 8 KiB.
const LONGEST: usize = 6 * 1024;
/// Who calls, and from where.
pub const CALLER: [&str; 6] = ["label", "identity", "client", "client_version", "server", "session"];
/// In place of a policy's id: a grant without one.
const NO_POLICY: &str = "none";

/// The draft in the form; none where it is about a saved text.
pub fn draft(form: &Form) -> Option<&str> {
    form.values("document").next()
}

/// Fills the call in: from a decision of the log, from a tool that was picked, or with what the typed tool requires.
pub async fn fill(
    state: &DashboardState,
    member: &Member,
    server: ServerId,
    tools: &[Tool],
    form: &mut Form,
) -> Result<(), ErrorPage> {
    if let Some(show) = form.given("set_show") {
        form.put("show", show);
    }
    if let Some(id) = form.given("decision") {
        let id = id.parse().map_err(|_| ErrorPage::NotFound)?;
        let call = state.control.call_of_decision(&member.actor, id).await?;
        if call.server_id != Some(server) {
            return Err(ErrorPage::NotFound);
        }
        form.put("call", call.tool);
        form.put("arguments", text(&call.arguments));
        form.put("label", call.context.grant.label);
        form.put("identity", call.context.grant.identity);
        form.put("client", call.context.client.name);
        form.put("client_version", call.context.client.version);
        return Ok(());
    }
    let picked = form.given("pick");
    if let Some(tool) = &picked {
        form.put("call", tool.clone());
    }
    if picked.is_some() || form.value("do") == "fill" {
        let tool = tools.iter().find(|tool| tool.name == form.value("call"));
        form.put("arguments", tool.map(|tool| text(&placeholders(tool))).unwrap_or_default());
    }
    Ok(())
}

fn text(arguments: &Value) -> String {
    // A value that was read can be written.
    serde_json::to_string_pretty(arguments).unwrap_or_default()
}

/// Who calls, and from where.
pub fn context(form: &Form) -> CallContext {
    let field = |name: &str| form.value(name).to_owned();
    CallContext {
        grant: GrantContext { label: field("label"), identity: field("identity") },
        client: ClientContext { name: field("client"), version: field("client_version") },
        server: ServerContext { name: field("server") },
        session: !form.value("session").is_empty(),
    }
}

/// The policy that the text stands beside: unless another is chosen, the one that it is of.
pub fn beside(form: &Form, own: Option<PolicyId>) -> Option<String> {
    match form.value("beside") {
        "" => own.map(|id| id.to_string()),
        NO_POLICY => None,
        chosen => Some(chosen.to_owned()),
    }
}

/// What can be chosen for that: values and words.
pub fn besides(own: Option<&PolicySummary>, all: &[PolicySummary]) -> Vec<(String, String)> {
    let first = match own {
        Some(policy) => format!("Version {}, in force", policy.version),
        None => "No policy".to_owned(),
    };
    let others = all.iter().filter(|policy| own.is_none_or(|own| own.id != policy.id));
    let others =
        others.map(|policy| (policy.id.to_string(), format!("{}, version {}", policy.name, policy.version)));
    let none = own.map(|_| (NO_POLICY.to_owned(), "No policy".to_owned()));
    std::iter::once((String::new(), first)).chain(others).chain(none).collect()
}

/// The query that asks the same; none where nothing short enough can say it.
pub fn address(form: &Form, source: Source, in_force: Option<u32>) -> Option<String> {
    let version = match source {
        Source::Draft => return None,
        Source::Version(version) if Some(version) != in_force => version.to_string(),
        Source::Version(_) | Source::Proposal => String::new(),
    };
    let call = if form.given("decision").is_some() {
        vec!["decision"]
    } else {
        ["call", "arguments"].into_iter().chain(CALLER).collect()
    };
    let mut query = Serializer::new(String::new());
    if !version.is_empty() {
        query.append_pair("version", &version);
    }
    for field in call.into_iter().chain(["beside", "show"]) {
        if let Some(value) = form.given(field) {
            query.append_pair(field, &value);
        }
    }
    Some(query.finish()).filter(|query| query.len() <= LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_text_has_an_address_and_a_draft_has_none() {
        let form = Form::read(
            b"csrf=x&document=y&call=send&arguments=%7B%7D&label=CI+bot&session=on&beside=&show=differences&do=",
        );
        let said = "call=send&arguments=%7B%7D&label=CI+bot&session=on&show=differences";
        assert_eq!(address(&form, Source::Version(4), Some(4)).as_deref(), Some(said));
        assert_eq!(address(&form, Source::Proposal, None).as_deref(), Some(said));
        assert_eq!(address(&form, Source::Version(3), Some(4)), Some(format!("version=3&{said}")));
        assert_eq!(address(&form, Source::Draft, Some(4)), None);
        let again = Form::read(said.as_bytes());
        assert_eq!(context(&again), context(&form));
        let from_log = Form::read(b"decision=7&call=send&arguments=%7B%7D&label=x&beside=none");
        let said = address(&from_log, Source::Version(4), Some(4));
        assert_eq!(said.as_deref(), Some("decision=7&beside=none"), "the log says the rest");
    }

    #[test]
    fn what_is_too_long_for_an_address_has_none() {
        let long = format!("call=send&arguments={}", "x".repeat(LONGEST));
        assert_eq!(address(&Form::read(long.as_bytes()), Source::Version(1), Some(1)), None);
    }
}
