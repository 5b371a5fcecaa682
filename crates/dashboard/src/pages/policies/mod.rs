//! `/o/{org}/servers/{server}/policies`: the list, the editor, the simulation, and the history of one policy.

pub mod check;
pub mod choices;
pub mod custom;
pub mod diff;
pub mod draft;
pub mod editor;
pub mod history;
pub mod list;
pub mod manage;
pub mod new;
pub mod simulate;
pub mod version;
