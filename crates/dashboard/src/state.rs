//! What every page is made from. Built once, by the binary.

use std::sync::Arc;
use std::time::Duration;

use control::Control;
use domain::Clock;
use vault::{Entropy, Keyring};

/// State of the router; cheap to clone.
#[derive(Clone, Debug)]
pub struct DashboardState {
    /// The operations behind the pages.
    pub control: Control,
    /// Binds forms to sessions.
    pub keyring: Keyring,
    /// Says what time it is.
    pub clock: Clock,
    /// Gives visits and request ids.
    pub entropy: Entropy,
    /// The management API's description (OpenAPI 3.1), shown at `/docs/api`.
    pub openapi: Arc<serde_json::Value>,
    /// How long a request may take until its answer begins.
    pub patience: Duration,
}
