//! The chain of hashes: a batch holds an entry for each part of a row that it wrote, and hashes them with the hash of
//! the batch before. So no row can be changed, removed or slipped in without all later hashes changing.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// A SHA-256.
pub(crate) type Hash = [u8; 32];

/// What comes before a tenant's first batch.
pub(crate) const BEGINNING: Hash = [0; 32];

const SIZE: usize = 1 + 8 + 16 + 32;

/// Which part of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Decision,
    Ending,
}

impl Part {
    /// As it is written.
    pub(crate) fn word(self) -> u8 {
        match self {
            Self::Decision => 0,
            Self::Ending => 1,
        }
    }
}

/// One part of one row: kind (1 byte: 0, 1), decided at (8, microseconds, big endian), id (16), hash (32).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub part: Part,
    pub decided_at: DateTime<Utc>,
    pub id: Uuid,
    pub hash: Hash,
}

impl Entry {
    pub(crate) fn new(part: Part, decided_at: DateTime<Utc>, id: Uuid, content: &[u8]) -> Self {
        Self { part, decided_at, id, hash: vault::sha256(content) }
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.push(self.part.word());
        out.extend_from_slice(&self.decided_at.timestamp_micros().to_be_bytes());
        out.extend_from_slice(self.id.as_bytes());
        out.extend_from_slice(&self.hash);
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (kind, rest) = bytes.split_first()?;
        let (micros, rest) = rest.split_first_chunk()?;
        let (id, rest) = rest.split_first_chunk()?;
        Some(Self {
            part: match kind {
                0 => Part::Decision,
                1 => Part::Ending,
                _ => return None,
            },
            decided_at: DateTime::from_timestamp_micros(i64::from_be_bytes(*micros))?,
            id: Uuid::from_bytes(*id),
            hash: rest.try_into().ok()?,
        })
    }
}

pub(crate) fn encode(entries: &[Entry]) -> Vec<u8> {
    let mut out = Vec::with_capacity(entries.len() * SIZE);
    for entry in entries {
        entry.write(&mut out);
    }
    out
}

/// None when somebody wrote what [`encode`] does not.
pub(crate) fn decode(bytes: &[u8]) -> Option<Vec<Entry>> {
    bytes.chunks(SIZE).map(Entry::read).collect()
}

/// The hash of a batch.
pub(crate) fn link(tenant: Uuid, number: i64, previous: &Hash, entries: &[u8]) -> Hash {
    let mut data = b"tollgate audit batch 1".to_vec();
    data.extend_from_slice(tenant.as_bytes());
    data.extend_from_slice(&number.to_be_bytes());
    data.extend_from_slice(previous);
    data.extend_from_slice(entries);
    vault::sha256(&data)
}

/// In hexadecimal.
pub(crate) fn hex(hash: &Hash) -> String {
    hash.iter().fold(String::with_capacity(64), |mut text, byte| {
        text.extend([byte >> 4, byte & 15].iter().filter_map(|half| char::from_digit(u32::from(*half), 16)));
        text
    })
}

/// From hexadecimal.
pub(crate) fn unhex(text: &str) -> Option<Hash> {
    let digits: Vec<u8> =
        text.chars().map(|digit| digit.to_digit(16)?.try_into().ok()).collect::<Option<_>>()?;
    let bytes: Vec<u8> = digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect();
    if digits.len().is_multiple_of(2) { bytes.try_into().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hexadecimal_reads_back() {
        let hash = vault::sha256(b"x");
        assert!(hex(&hash).starts_with("2d711642"));
        assert_eq!(unhex(&hex(&hash)), Some(hash));
        assert_eq!(unhex(&hex(&hash).to_uppercase()), Some(hash));
        for wrong in ["", "2d71", &format!("{}0", hex(&hash)), &hex(&hash).replace('2', "g")] {
            assert_eq!(unhex(wrong), None);
        }
    }

    #[test]
    fn entries_read_back_as_written() {
        let at = DateTime::from_timestamp_micros(1_800_000_000_123_456).unwrap_or_default();
        let entries = [
            Entry::new(Part::Decision, at, Uuid::from_u128(1), b"a"),
            Entry::new(Part::Ending, at, Uuid::from_u128(2), b"b"),
        ];
        let bytes = encode(&entries);
        assert_eq!(bytes.len(), 2 * SIZE);
        assert_eq!(decode(&bytes).as_deref(), Some(entries.as_slice()));
        assert_eq!(decode(&bytes[1..]), None);
        assert_eq!(decode(&[2; SIZE]), None);
    }

    #[test]
    fn every_input_changes_the_hash() {
        let tenant = Uuid::from_u128(1);
        let base = link(tenant, 1, &BEGINNING, b"x");
        for other in [
            link(Uuid::from_u128(2), 1, &BEGINNING, b"x"),
            link(tenant, 2, &BEGINNING, b"x"),
            link(tenant, 1, &[1; 32], b"x"),
            link(tenant, 1, &BEGINNING, b"y"),
        ] {
            assert_ne!(base, other);
        }
    }
}
