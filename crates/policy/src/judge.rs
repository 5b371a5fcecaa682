//! One call against one policy: steps 3 to 9, and the limits of step 10.

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::arguments;
use crate::call::Call;
use crate::condition::Place;
use crate::document::{Entry, Mode, Policy, Rule};
use crate::glob::MAX_NAME;
use crate::outline::Effect;
use crate::verdict::{Charge, Refusal, Shadow, ShadowOutcome, Verdict};
use crate::work;

const HIDDEN: (&str, &str) = ("(hidden)", "this tool is hidden");
const DEFAULT_DENY: (&str, &str) = ("(default deny)", "the policy does not allow this tool");
const TOOL_CHANGED: (&str, &str) =
    ("(tool changed)", "the tool's definition has changed since it was approved: ask for a new approval");
const REQUIRE: &str = "the policy does not allow this tool with these arguments";
const DENY_IF: &str = "the policy denies this call";
const APPROVE_IF: &str = "a human must approve this call";

/// Step 1: the grant has no policy.
pub fn no_policy() -> Refusal {
    fixed(("(no policy)", "no policy is attached to this grant, so nothing is allowed"))
}

/// Step 2: the stored document can't be read.
pub fn invalid() -> Refusal {
    fixed(("(invalid policy)", "the policy of this grant can't be read, so nothing is allowed"))
}

pub(crate) fn fixed((rule, message): (&str, &str)) -> Refusal {
    Refusal { rule: rule.into(), message: message.into(), conditions: Vec::new() }
}

impl Policy {
    /// Judges a call: the first denial, or the limits to take. Pure, and no slower than linear in the arguments.
    pub fn judge(&self, call: &Call<'_>) -> Verdict {
        self.judge_where(call, false)
    }

    /// The same of a call that a person has approved: step 9 asks nobody, all others stand.
    pub fn judge_approved(&self, call: &Call<'_>) -> Verdict {
        self.judge_where(call, true)
    }

    fn judge_where(&self, call: &Call<'_>, approved: bool) -> Verdict {
        let mut trial = Trial { policy: self, call, approved, shadow: None, charges: Vec::new() };
        match trial.steps() {
            ControlFlow::Break(verdict) => verdict,
            ControlFlow::Continue(()) => trial.allowed(),
        }
    }
}

impl Policy {
    /// What becomes of a tool's calls whatever their arguments: for what was allowed once and is asked about later, as a task
    /// is. Takes no limits.
    pub fn judge_tool(&self, tool: &str) -> Verdict {
        let outline = self.outline(tool);
        match outline.effect {
            Effect::Hide => Verdict::Hide(fixed(HIDDEN)),
            Effect::Deny if outline.rule == DEFAULT_DENY.0 => Verdict::Deny(fixed(DEFAULT_DENY)),
            Effect::Deny => Verdict::Deny(fixed((&outline.rule, DENY_IF))),
            Effect::Allow | Effect::Limit | Effect::Conditional | Effect::Approve => {
                Verdict::Allow { charges: Vec::new(), shadow: None }
            }
        }
    }
}

/// A judgement under way.
struct Trial<'a> {
    policy: &'a Policy,
    call: &'a Call<'a>,
    /// A person has approved it.
    approved: bool,
    /// The first refusal of a rule in shadow mode.
    shadow: Option<Shadow>,
    charges: Vec<Charge>,
}

/// The lists of an entry, in the order they are asked.
#[derive(Clone, Copy)]
enum List {
    Require,
    DenyIf,
    ApproveIf,
}

type Step = ControlFlow<Verdict>;

impl<'a> Trial<'a> {
    fn steps(&mut self) -> Step {
        let (policy, tool) = (self.policy, self.call.tool);
        if tool.len() > MAX_NAME {
            return ControlFlow::Break(Verdict::Deny(fixed(DEFAULT_DENY)));
        }
        let entry = policy.entry(tool);
        if policy.hides(tool) {
            let mode = if policy.hiding_blocks(entry) { Mode::Enforce } else { Mode::Shadow };
            self.refuse(mode, ShadowOutcome::Hide, None, || fixed(HIDDEN))?;
        }
        if entry.is_none() && !policy.default_allows {
            self.refuse(policy.mode, ShadowOutcome::Deny, None, || fixed(DEFAULT_DENY))?;
        }
        if self.call.state.changed {
            let mode = entry.map_or(policy.mode, |entry| entry.mode(policy));
            self.refuse(mode, ShadowOutcome::Deny, None, || fixed(TOOL_CHANGED))?;
        }
        self.validate(entry)?;
        let entries = [entry, Some(&policy.all_tools)];
        let asks = (!self.approved).then_some(List::ApproveIf);
        for list in [List::Require, List::DenyIf].into_iter().chain(asks) {
            for entry in entries.into_iter().flatten() {
                self.rules(entry, list)?;
            }
        }
        for entry in entries.into_iter().flatten() {
            self.limits(entry)?;
        }
        ControlFlow::Continue(())
    }

    /// The tool's setting, else the document's; and what `all_tools` adds.
    fn validate(&mut self, entry: Option<&'a Entry>) -> Step {
        let (policy, all) = (self.policy, &self.policy.all_tools);
        let own = match entry {
            Some(Entry { validate_arguments: Some(wanted), pointer, .. }) => wanted.then_some(&**pointer),
            _ => policy.validate_arguments.then_some(""),
        };
        let own = own.map(|pointer| (pointer, entry.map_or(policy.mode, |entry| entry.mode(policy))));
        let of_all = (all.validate_arguments == Some(true)).then(|| (&*all.pointer, all.mode(policy)));
        for (pointer, mode) in own.into_iter().chain(of_all) {
            if let Err(message) = arguments::validate(self.call) {
                let rule = format!("{pointer}/validate_arguments").into();
                let refusal = || Refusal { rule, message: message.into(), conditions: Vec::new() };
                self.refuse(mode, ShadowOutcome::Deny, None, refusal)?;
            }
        }
        ControlFlow::Continue(())
    }

    fn rules(&mut self, entry: &'a Entry, list: List) -> Step {
        let (rules, place) = match list {
            List::Require => (&entry.require, Place::Require),
            List::DenyIf => (&entry.deny_if, Place::Deny),
            List::ApproveIf => (&entry.approve_if, Place::Deny),
        };
        let mode = entry.mode(self.policy);
        let call = self.call;
        for rule in rules {
            work::steps(1);
            let all_hold = rule.conditions.iter().all(|condition| condition.holds(call, place));
            let (refuses, outcome) = match list {
                List::Require => (!all_hold, ShadowOutcome::Deny),
                List::DenyIf => (all_hold, ShadowOutcome::Deny),
                List::ApproveIf => (all_hold, ShadowOutcome::Pending),
            };
            if refuses {
                self.refuse(mode, outcome, rule.expires_in, || refusal(entry, rule, list, place, call))?;
            }
        }
        ControlFlow::Continue(())
    }

    fn limits(&mut self, entry: &'a Entry) -> Step {
        let mode = entry.mode(self.policy);
        for limit in &entry.limits {
            work::steps(1);
            match limit.charge(self.call) {
                Ok((amount_micros, key)) => self.charges.push(Charge {
                    limit: Arc::clone(limit),
                    amount_micros,
                    key,
                    shadow: mode == Mode::Shadow,
                }),
                Err(message) => {
                    let rule = Arc::clone(&limit.rule);
                    let refusal = || Refusal { rule, message: message.into(), conditions: Vec::new() };
                    self.refuse(mode, ShadowOutcome::Deny, None, refusal)?;
                }
            }
        }
        ControlFlow::Continue(())
    }

    /// Ends the trial, or takes down what would have ended it first.
    fn refuse(
        &mut self,
        mode: Mode,
        outcome: ShadowOutcome,
        expires_in: Option<u64>,
        refusal: impl FnOnce() -> Refusal,
    ) -> Step {
        match (mode, outcome) {
            (Mode::Enforce, ShadowOutcome::Deny) => ControlFlow::Break(Verdict::Deny(refusal())),
            (Mode::Enforce, ShadowOutcome::Hide) => ControlFlow::Break(Verdict::Hide(refusal())),
            (Mode::Enforce, ShadowOutcome::Pending) => {
                ControlFlow::Break(Verdict::Pending { refusal: refusal(), expires_in })
            }
            (Mode::Shadow, _) => {
                if self.shadow.is_none() {
                    self.shadow = Some(Shadow { outcome, refusal: refusal() });
                }
                ControlFlow::Continue(())
            }
        }
    }

    /// A call that shadow rules would have denied takes nothing from shadow counters.
    fn allowed(mut self) -> Verdict {
        if self.shadow.is_some() {
            self.charges.retain(|charge| !charge.shadow);
        }
        Verdict::Allow { charges: self.charges, shadow: self.shadow }
    }
}

/// Names the rule, and the conditions that decided.
fn refusal(entry: &Entry, rule: &Rule, list: List, place: Place, call: &Call<'_>) -> Refusal {
    let (name, message, held) = match list {
        List::Require => ("require", REQUIRE, false),
        List::DenyIf => ("deny_if", DENY_IF, true),
        List::ApproveIf => ("approve_if", APPROVE_IF, true),
    };
    let pointer = rule.pointer(&entry.pointer, name);
    let mut conditions = Vec::new();
    let decided =
        rule.conditions.iter().enumerate().filter(|(_, condition)| condition.holds(call, place) == held);
    // The first that fails settles a requirement; all that hold make a denial.
    for (i, condition) in decided.take(if held { usize::MAX } else { 1 }) {
        condition.explain(call, place, held, &rule.condition_pointer(&pointer, i), &mut conditions);
    }
    let message = rule.message.as_ref().map_or_else(|| message.into(), Arc::clone);
    Refusal { rule: pointer.into(), message, conditions }
}
