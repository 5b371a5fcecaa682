//! The parts of the protocol beside tools: resources, prompts and completion, and what a server asks of its client. Each is
//! open or closed as a whole; there is nothing in them to look at argument by argument that would make the answer safe.

use domain::{Surface, Surfaces};

use crate::document::{Mode, Policy};
use crate::judge::fixed;
use crate::outline::Effect;
use crate::verdict::{Refusal, Shadow, ShadowOutcome, Verdict};

const DEFAULT_DENY: (&str, &str) =
    ("(default deny)", "the policy does not allow this part of the protocol: its `methods` can open it");
const DENIED: &str = "the policy denies this part of the protocol";

/// What a document's `methods` say.
#[derive(Debug, Default)]
pub(crate) struct Methods([Option<bool>; Surface::ALL.len()]);

impl Methods {
    pub(crate) fn set(&mut self, surface: Surface, allows: bool) {
        self.0[surface as usize] = Some(allows);
    }

    /// Whether it is allowed, if the document says so itself.
    pub(crate) fn stance(&self, surface: Surface) -> Option<bool> {
        self.0[surface as usize]
    }

    pub(crate) fn is_written(&self) -> bool {
        self.0.iter().any(Option::is_some)
    }
}

impl Policy {
    /// Judges a request of a part of the protocol beside tools, of the client or of the server. Takes no limits.
    pub fn judge_surface(&self, surface: Surface) -> Verdict {
        let Some(refusal) = self.closes(surface) else {
            return Verdict::Allow { charges: Vec::new(), shadow: None };
        };
        match self.mode {
            Mode::Enforce => Verdict::Deny(refusal),
            Mode::Shadow => Verdict::Allow {
                charges: Vec::new(),
                shadow: Some(Shadow { outcome: ShadowOutcome::Deny, refusal }),
            },
        }
    }

    /// What gets through, shadow mode counted in.
    pub fn surfaces(&self) -> Surfaces {
        let open = |surface: &Surface| self.mode == Mode::Shadow || self.allows(*surface);
        Surface::ALL.into_iter().filter(open).collect()
    }

    /// Whether the document allows it, by itself or by its default.
    pub fn allows(&self, surface: Surface) -> bool {
        self.methods.stance(surface).unwrap_or(self.default_allows)
    }

    /// What becomes of it, and the JSON Pointer of what decides that, or `(default deny)`: for people. What shadow mode only
    /// records is no effect.
    pub fn outline_surface(&self, surface: Surface) -> (Effect, String) {
        let open = self.mode == Mode::Shadow || self.allows(surface);
        let rule = match self.methods.stance(surface) {
            Some(_) => format!("/methods/{surface}"),
            None if open => "/default".to_owned(),
            None => DEFAULT_DENY.0.to_owned(),
        };
        (if open { Effect::Allow } else { Effect::Deny }, rule)
    }

    fn closes(&self, surface: Surface) -> Option<Refusal> {
        match self.methods.stance(surface) {
            Some(true) => None,
            Some(false) => Some(Refusal {
                rule: format!("/methods/{surface}").into(),
                message: DENIED.into(),
                conditions: Vec::new(),
            }),
            None => (!self.default_allows).then(|| fixed(DEFAULT_DENY)),
        }
    }
}
