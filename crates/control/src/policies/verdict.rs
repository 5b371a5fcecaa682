//! The verdict of a simulation. What would be taken from limits is named, and nothing is taken; a cost that no count
//! could ever hold is refused here as the ledger would refuse it.

use std::collections::HashMap;

use domain::Outcome;
use policy::{Align, Charge, Limit, Policy, Refusal, Scope, Shadow, ShadowOutcome, Unit, Verdict, Window};
use serde::Serialize;
use utoipa::ToSchema;

/// What would become of the call, were all limits unused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SimulationResult {
    /// `allow`, `deny`, `hidden`, `pending`, or `limit` where the call asks for more than a limit ever holds.
    #[schema(value_type = String, example = "deny")]
    pub outcome: Outcome,
    /// The rule that decided, as the log would name it; none for an allowed call.
    #[schema(example = "/tools/flowforge_retry_run/require/0")]
    pub rule: Option<String>,
    /// JSON Pointer into the document: where that rule stands, or the entry that let the call through.
    #[schema(example = "/tools/flowforge_retry_run/require/0")]
    pub pointer: Option<String>,
    /// What the caller would be told.
    pub message: Option<String>,
    /// JSON Pointers of the conditions that decided.
    pub conditions: Vec<String>,
    /// Seconds that a person has to approve it, where the rule says it.
    pub expires_in: Option<u64>,
    /// What would be taken, all of it together.
    pub charges: Vec<SimulatedCharge>,
    /// What rules in shadow mode would have done.
    pub shadow: Option<SimulatedShadow>,
    /// Whether the server lists a tool of that name.
    pub tool_known: bool,
}

/// What would be taken from one limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SimulatedCharge {
    /// The limit's place in the document.
    pub rule: String,
    /// The counter's name.
    pub counter: String,
    /// How much, in millionths.
    pub amount_micros: u64,
    /// The most that the window holds, in millionths.
    pub max_micros: u64,
    /// Who shares the count: a limit of the scope `session` counts by the grant where there is no session.
    pub scope: &'static str,
    /// The value that the count is of, as JSON, where the limit has a `key`.
    pub key: Option<String>,
    /// The limit in words: `10 a minute for each grant`.
    pub limit: String,
    /// Counted on a counter of its own, and never refuses.
    pub shadow: bool,
}

/// What rules in shadow mode would have done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct SimulatedShadow {
    /// `deny`, `hidden`, `pending` or `limit`.
    #[schema(value_type = String, example = "deny")]
    pub outcome: Outcome,
    /// By which rule.
    pub rule: String,
    /// What the caller would have been told.
    pub message: String,
    /// JSON Pointers of the conditions that decided.
    pub conditions: Vec<String>,
}

impl SimulationResult {
    /// The verdict on a call of `tool`; `session` says whether it is made in one.
    pub(super) fn of(policy: &Policy, tool: &str, verdict: Verdict, session: bool) -> Self {
        let mut result = match verdict {
            Verdict::Allow { charges, shadow } => Self::allowed(&charges, shadow, session),
            Verdict::Deny(refusal) => Self::refused(Outcome::Deny, refusal),
            Verdict::Hide(refusal) => Self::refused(Outcome::Hidden, refusal),
            Verdict::Pending { refusal, expires_in } => {
                Self { expires_in, ..Self::refused(Outcome::Pending, refusal) }
            }
        };
        result.pointer = place(policy, tool, result.rule.as_deref());
        result
    }

    fn allowed(charges: &[Charge], shadow: Option<Shadow>, session: bool) -> Self {
        let mut taken = Taken::default();
        let mut of_shadow = None;
        for charge in charges {
            if taken.holds(charge, session) {
                continue;
            }
            if !charge.shadow {
                return Self::refused(Outcome::Limit, over(&charge.limit));
            }
            of_shadow = of_shadow.or(Some(charge));
        }
        let shadow = match (shadow, of_shadow) {
            (Some(shadow), _) => Some(SimulatedShadow::of(shadow)),
            (None, Some(charge)) => Some(SimulatedShadow::refused(Outcome::Limit, over(&charge.limit))),
            (None, None) => None,
        };
        // A call that shadow rules would have refused takes nothing from their counters.
        let counted = charges.iter().filter(|charge| !charge.shadow || of_shadow.is_none());
        let charges = counted.map(|charge| SimulatedCharge::of(charge, session)).collect();
        Self { charges, shadow, ..Self::bare(Outcome::Allow) }
    }

    fn refused(outcome: Outcome, refusal: Refusal) -> Self {
        Self {
            rule: Some(refusal.rule.to_string()),
            message: Some(refusal.message.to_string()),
            conditions: refusal.conditions,
            ..Self::bare(outcome)
        }
    }

    fn bare(outcome: Outcome) -> Self {
        Self {
            outcome,
            rule: None,
            pointer: None,
            message: None,
            conditions: Vec::new(),
            expires_in: None,
            charges: Vec::new(),
            shadow: None,
            tool_known: false,
        }
    }
}

impl SimulatedShadow {
    fn of(shadow: Shadow) -> Self {
        let outcome = match shadow.outcome {
            ShadowOutcome::Deny => Outcome::Deny,
            ShadowOutcome::Hide => Outcome::Hidden,
            ShadowOutcome::Pending => Outcome::Pending,
        };
        Self::refused(outcome, shadow.refusal)
    }

    fn refused(outcome: Outcome, refusal: Refusal) -> Self {
        Self {
            outcome,
            rule: refusal.rule.to_string(),
            message: refusal.message.to_string(),
            conditions: refusal.conditions,
        }
    }
}

impl SimulatedCharge {
    fn of(charge: &Charge, session: bool) -> Self {
        let limit = &charge.limit;
        Self {
            rule: limit.rule.to_string(),
            counter: limit.counter.to_string(),
            amount_micros: charge.amount_micros,
            max_micros: limit.max_micros,
            scope: scope(limit, session).as_str(),
            key: charge.key.clone(),
            limit: limit.words(),
            shadow: charge.shadow,
        }
    }
}

/// What one call takes from counters that begin empty. Limits that share a count see what each other asks for
/// (`docs/adr/0005`).
#[derive(Default)]
struct Taken<'a>(HashMap<Counter<'a>, u64>);

type Counter<'a> = (&'a str, Scope, Align, u32, bool, Option<&'a str>, bool);

impl<'a> Taken<'a> {
    /// Whether the limit can hold the charge; if so, it is taken.
    fn holds(&mut self, charge: &'a Charge, session: bool) -> bool {
        let limit = &charge.limit;
        let by_month = limit.align == Align::Calendar && limit.window == Window::Unit(Unit::Month);
        let counter = (
            &*limit.counter,
            scope(limit, session),
            limit.align,
            limit.window.seconds(),
            by_month,
            charge.key.as_deref(),
            charge.shadow,
        );
        let taken = self.0.entry(counter).or_default();
        let wanted = taken.saturating_add(charge.amount_micros);
        let holds = wanted <= limit.max_micros;
        if holds {
            *taken = wanted;
        }
        holds
    }
}

/// Who shares the count.
fn scope(limit: &Limit, session: bool) -> Scope {
    if limit.scope == Scope::Session && !session { Scope::Grant } else { limit.scope }
}

fn over(limit: &Limit) -> Refusal {
    Refusal { rule: limit.rule.clone(), message: limit.message.clone(), conditions: Vec::new() }
}

/// Where in the document stands what decided.
fn place(policy: &Policy, tool: &str, rule: Option<&str>) -> Option<String> {
    match rule {
        None => Some(policy.outline(tool).rule),
        Some("(hidden)") => policy.hiding(tool).next().map(str::to_owned),
        Some("(default deny)") => Some("/default".to_owned()),
        Some(pointer) => pointer.starts_with('/').then(|| pointer.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use policy::{Call, Context, ToolState};

    use super::*;

    fn simulated(document: &str, tool: &str, arguments: &str, session: bool) -> SimulationResult {
        let policy = Policy::read(document.as_bytes()).unwrap();
        let arguments = json::parse(arguments.as_bytes(), 8).unwrap();
        let verdict = policy.judge(&Call {
            tool,
            arguments: Some(&arguments),
            context: Context::default(),
            state: ToolState::default(),
        });
        SimulationResult::of(&policy, tool, verdict, session)
    }

    #[test]
    fn a_cost_that_no_window_holds_is_refused_by_its_limit() {
        let document = r#"{ "version": "1", "default": "allow", "tools": { "pay": { "limits": [
            { "counter": "paid", "window": "day", "max": 100, "increment_from": "args.amount", "on_deny": "Too much." }
        ] } } }"#;
        let fits = simulated(document, "pay", r#"{ "amount": 100 }"#, false);
        assert_eq!((fits.outcome, fits.charges[0].amount_micros), (Outcome::Allow, 100_000_000));
        assert_eq!(fits.charges[0].limit, "100 of args.amount a day for each grant");
        let over = simulated(document, "pay", r#"{ "amount": 100.000001 }"#, false);
        assert_eq!((over.outcome, over.rule.as_deref()), (Outcome::Limit, Some("/tools/pay/limits/0")));
        assert_eq!((over.message.as_deref(), over.charges.len()), (Some("Too much."), 0));
        assert_eq!(over.pointer.as_deref(), Some("/tools/pay/limits/0"));
    }

    #[test]
    fn limits_that_share_a_count_see_each_other() {
        let document = |own: &str| {
            format!(
                r#"{{ "version": "1", "default": "allow",
                     "all_tools": {{ "limits": [{{ "counter": "c", "window": "minute", "max": 1 }}] }},
                     "tools": {{ "a": {{ "limits": [{{ "counter": "c", "window": "minute", "max": 5{own} }}] }} }} }}"#
            )
        };
        let shared = simulated(&document(""), "a", "{}", false);
        assert_eq!((shared.outcome, shared.rule.as_deref()), (Outcome::Limit, Some("/all_tools/limits/0")));
        for own in [r#", "scope": "identity""#, r#", "align": "calendar""#, r#", "key": "args.k""#] {
            let apart = simulated(&document(own), "a", r#"{ "k": 1 }"#, false);
            assert_eq!((apart.outcome, apart.charges.len()), (Outcome::Allow, 2), "{own}");
        }
        // Outside of a session, the grant is what such a limit counts by.
        let by_session = document(r#", "scope": "session""#);
        assert_eq!(simulated(&by_session, "a", "{}", true).outcome, Outcome::Allow);
        assert_eq!(simulated(&by_session, "a", "{}", true).charges[0].scope, "session");
        assert_eq!(simulated(&by_session, "a", "{}", false).outcome, Outcome::Limit);
    }

    #[test]
    fn a_shadow_limit_that_can_not_hold_a_call_is_recorded_and_blocks_nothing() {
        let document = r#"{ "version": "1", "default": "allow", "tools": {
            "a": { "mode": "shadow", "limits": [
                { "counter": "none", "window": "day", "max": 0 }, { "counter": "some", "window": "day", "max": 9 }
            ] } }, "all_tools": { "rate_limit": "3/minute" } }"#;
        let result = simulated(document, "a", "{}", false);
        let shadow = result.shadow.unwrap();
        assert_eq!((result.outcome, shadow.outcome), (Outcome::Allow, Outcome::Limit));
        assert_eq!(shadow.rule, "/tools/a/limits/0");
        let taken: Vec<_> = result.charges.iter().map(|charge| charge.rule.as_str()).collect();
        assert_eq!(taken, ["/all_tools/rate_limit"], "a call that is refused takes nothing");
    }

    #[test]
    fn what_decided_has_a_place_in_the_document() {
        let document = r#"{ "version": "1", "default": "deny", "hide": ["x", "drop_*"], "tools": {
            "list_*": {}, "secret": { "action": "hide" }, "send": { "deny_if": [{ "conditions": [
                { "path": "args.to", "op": "eq", "value": "eve" }] }] } } }"#;
        for (tool, arguments, outcome, rule, pointer) in [
            ("list_runs", "{}", Outcome::Allow, None, "/tools/list_*"),
            ("drop_all", "{}", Outcome::Hidden, Some("(hidden)"), "/hide/1"),
            ("secret", "{}", Outcome::Hidden, Some("(hidden)"), "/tools/secret/action"),
            ("other", "{}", Outcome::Deny, Some("(default deny)"), "/default"),
            (
                "send",
                r#"{ "to": "eve" }"#,
                Outcome::Deny,
                Some("/tools/send/deny_if/0"),
                "/tools/send/deny_if/0",
            ),
        ] {
            let result = simulated(document, tool, arguments, false);
            assert_eq!((result.outcome, result.rule.as_deref()), (outcome, rule), "{tool}");
            assert_eq!(result.pointer.as_deref(), Some(pointer), "{tool}");
        }
        let send = simulated(document, "send", r#"{ "to": "eve" }"#, false);
        assert_eq!(send.conditions, ["/tools/send/deny_if/0/conditions/0"]);
    }
}
