//! One text per value: equal values have the same, whatever their spelling.

use crate::value::Value;

impl Value<'_> {
    /// Sorted keys, no white space, numbers without needless digits. Equal values give the same text.
    pub fn canonical(&self) -> String {
        unimplemented!()
    }
}
