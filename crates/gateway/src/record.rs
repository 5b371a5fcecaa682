//! What the log is told of a request. Of arguments it is told their keys, and a keyed hash of them all; never a value.

use std::fmt::Write;

use audit::{ClientNote, Decision, GrantNote, LimitNote, PolicyNote, ServerNote, ShadowNote};
use domain::{Outcome, TenantId};
use json::Value;
use mcp::ClientInfo;
use policy::{Refusal, Shadow, ShadowOutcome};
use vault::{Keyring, Purpose};

use crate::arrival::{Arguments, Arrival};
use crate::directory::GrantView;
use crate::judge::{Ask, Judged};

/// The record of a judged request.
pub(crate) fn judged(arrival: &Arrival, view: &GrantView, ask: &Ask<'_>, judged: &Judged) -> Decision {
    let mut decision = base(arrival, view.tenant, Outcome::Allow);
    decision.client = client(ask.client);
    decision.policy = view.rules.version().map(|policy| PolicyNote {
        id: policy.id,
        name: policy.name.clone(),
        version: policy.version,
    });
    match judged {
        Judged::Allow { charges, shadow } => {
            decision.forwards = !ask.ours;
            decision.shadow = shadow.as_ref().map(shadow_note);
            let note = |charge: &policy::Charge| LimitNote {
                rule: charge.limit.rule.to_string(),
                message: charge.limit.message.to_string(),
            };
            decision.limits = charges.iter().map(note).collect();
        }
        Judged::Refuse { outcome, refusal } => refuse(&mut decision, *outcome, refusal),
        Judged::Pending { refusal, .. } => refuse(&mut decision, Outcome::Pending, refusal),
    }
    decision.judged_micros = Some(arrival.micros());
    decision
}

/// The record of a request of the server: judged by itself, at a time of its own, in the course of one of the client's.
pub(crate) fn question(arrival: &Arrival, view: &GrantView, ask: &Ask<'_>, judged: &Judged) -> Decision {
    let mut decision = self::judged(arrival, view, ask, judged);
    // It needs no closing: the answer, if there is one, comes as a request of the client's.
    decision.forwards = false;
    decision.judged_micros = None;
    decision
}

/// The record of a request that no policy could judge.
pub(crate) fn refused(arrival: &Arrival, tenant: TenantId, outcome: Outcome, reason: &str) -> Decision {
    let mut decision = base(arrival, tenant, outcome);
    decision.address = arrival.address.map(|address| address.to_string());
    decision.client = client(arrival.client.as_ref());
    decision.message = Some(reason.to_owned());
    decision
}

/// Turns a record into that of a refusal.
pub(crate) fn refuse(decision: &mut Decision, outcome: Outcome, refusal: &Refusal) {
    decision.outcome = outcome;
    decision.forwards = false;
    decision.rule = Some(refusal.rule.to_string());
    decision.message = Some(refusal.message.to_string());
    decision.condition = (!refusal.conditions.is_empty()).then(|| refusal.conditions.join(" "));
}

fn base(arrival: &Arrival, tenant: TenantId, outcome: Outcome) -> Decision {
    // A grant of somebody else's server is nothing that the owner of this one may see.
    let view = arrival.view.as_ref().filter(|view| view.tenant == tenant);
    Decision {
        id: arrival.id,
        tenant,
        decided_at: arrival.at,
        outcome,
        forwards: false,
        server: Some(ServerNote {
            id: arrival.server,
            name: view.map(|view| view.target.name.clone()).unwrap_or_default(),
        }),
        grant: view.map(|view| GrantNote {
            id: view.grant,
            label: view.label.clone(),
            identity: view.identity.clone(),
        }),
        client: ClientNote::default(),
        address: None,
        protocol_version: arrival.version.map(|version| version.as_str().to_owned()),
        method: arrival.method.clone(),
        tool: arrival.tool.clone(),
        rule: None,
        message: None,
        condition: None,
        policy: None,
        argument_keys: arrival.arguments.as_ref().map(|noted| noted.keys.clone()).unwrap_or_default(),
        argument_digest: arrival.arguments.as_ref().map(|noted| noted.digest.clone()),
        limits: Vec::new(),
        shadow: None,
        judged_micros: None,
        request_bytes: arrival.request_bytes,
        trace_id: arrival.trace_id.clone(),
    }
}

fn client(client: Option<&ClientInfo>) -> ClientNote {
    let given = |text: &String| (!text.is_empty()).then(|| text.clone());
    ClientNote {
        name: client.and_then(|client| given(&client.name)),
        version: client.and_then(|client| given(&client.version)),
    }
}

/// What is noted of a call's arguments. Equal ones give equal digests within a tenant, and tell nothing without the key.
pub(crate) fn arguments(keyring: &Keyring, tenant: TenantId, arguments: &Value<'_>) -> Arguments {
    let members = arguments.as_object().map(json::Object::members).unwrap_or_default();
    let data = [tenant.uuid().as_bytes(), arguments.canonical().as_bytes()].concat();
    let mut digest = String::with_capacity(64);
    for byte in keyring.mac(Purpose::Arguments, &data) {
        // Writing to a `String` can't fail.
        let _ = write!(digest, "{byte:02x}");
    }
    Arguments { keys: members.iter().map(|member| member.key.to_string()).collect(), digest }
}

fn shadow_note(shadow: &Shadow) -> ShadowNote {
    ShadowNote {
        outcome: match shadow.outcome {
            ShadowOutcome::Deny => Outcome::Deny,
            ShadowOutcome::Hide => Outcome::Hidden,
            ShadowOutcome::Pending => Outcome::Pending,
        },
        rule: shadow.refusal.rule.to_string(),
        message: shadow.refusal.message.to_string(),
    }
}
