//! `/o/{org}/servers/{server}/grants`: the list, minting, one grant, its clients.

pub mod change;
pub mod clients;
pub mod grant;
pub mod list;
pub mod mint;

use control::PolicySummary;

/// The policies of a server for a select; the empty value is none.
fn choices(policies: &[PolicySummary]) -> Vec<(String, String)> {
    let none = (String::new(), "None: every call is denied".to_owned());
    let named = policies.iter().map(|policy| (policy.id.to_string(), policy.name.clone()));
    named.chain([none]).collect()
}
