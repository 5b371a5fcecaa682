//! The parts of the protocol beside tools: what a policy opens or closes as a whole.

use std::fmt;

/// A part of the protocol beside tools.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Surface {
    /// `resources/*`, and what is told of their changes.
    Resources,
    /// `prompts/*`.
    Prompts,
    /// `completion/complete`.
    Completion,
    /// `sampling/createMessage`: the server asks for the client's model.
    Sampling,
    /// `elicitation/create`: the server asks for the person at the client.
    Elicitation,
    /// `roots/list`: the server asks for the client's directories.
    Roots,
}

impl Surface {
    /// Every part, in the order of the documents.
    pub const ALL: [Self; 6] =
        [Self::Resources, Self::Prompts, Self::Completion, Self::Sampling, Self::Elicitation, Self::Roots];

    /// The word of the policy language.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resources => "resources",
            Self::Prompts => "prompts",
            Self::Completion => "completion",
            Self::Sampling => "sampling",
            Self::Elicitation => "elicitation",
            Self::Roots => "roots",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for Surface {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A set of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Surfaces(u8);

impl Surfaces {
    /// None of them.
    pub const NONE: Self = Self(0);
    /// All of them.
    pub const ALL: Self = Self(0b11_1111);

    /// Whether it is among them.
    pub const fn has(self, surface: Surface) -> bool {
        self.0 & surface.bit() != 0
    }

    /// These and one more.
    #[must_use]
    pub const fn with(self, surface: Surface) -> Self {
        Self(self.0 | surface.bit())
    }
}

impl FromIterator<Surface> for Surfaces {
    fn from_iter<I: IntoIterator<Item = Surface>>(surfaces: I) -> Self {
        surfaces.into_iter().fold(Self::NONE, Self::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_what_was_put_in_and_nothing_else() {
        assert_eq!(Surface::ALL.into_iter().collect::<Surfaces>(), Surfaces::ALL);
        for surface in Surface::ALL {
            let only = Surfaces::NONE.with(surface);
            assert!(Surface::ALL.into_iter().all(|other| only.has(other) == (other == surface)));
            assert!(!Surfaces::NONE.has(surface));
        }
    }
}
