//! The keyring: root keys from the environment, newest first. Each gives a key per purpose by HKDF (RFC 5869);
//! a root key itself encrypts and signs nothing.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use aws_lc_rs::{hkdf, hmac};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use domain::Secret;
use zeroize::Zeroizing;

use crate::error::KeyringProblem;
use crate::{Entropy, Error, Place};

/// The first byte of a sealed record: version 1 is `1, length of id, id, nonce (12), ciphertext and tag (16)`.
const VERSION: u8 = 1;

/// What was sealed. Wiped when it is dropped.
pub type Opened = Secret<Zeroizing<Vec<u8>>>;

/// Seals, opens and authenticates with the newest key; opens and checks with any. Cheap to clone.
#[derive(Clone)]
pub struct Keyring(Arc<[Entry]>);

struct Entry {
    id: String,
    root: hkdf::Prk,
    seal: LessSafeKey,
    csrf: hmac::Key,
    arguments: hmac::Key,
}

/// What a MAC is for: each purpose has a key of its own, so one can't be passed off as another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The token in a form, bound to its session.
    Csrf,
    /// The digest of a call's arguments in the log.
    Arguments,
}

impl Keyring {
    /// A keyring of `(id, key)`, newest first. Ids are 1 to 32 lower-case letters, digits and hyphens.
    pub fn from_entries(keys: Vec<(String, Zeroizing<[u8; 32]>)>) -> Result<Self, Error> {
        let mut entries = Vec::<Entry>::with_capacity(keys.len());
        for (at, (id, key)) in keys.into_iter().enumerate() {
            let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
            if id.is_empty() || id.len() > 32 || !id.bytes().all(fits) {
                return Err(KeyringProblem::Id(at + 1).into());
            }
            if entries.iter().any(|entry| entry.id == id) {
                return Err(KeyringProblem::Twice(id).into());
            }
            if key.iter().all(|byte| *byte == key[0]) {
                return Err(KeyringProblem::Weak(id).into());
            }
            entries.push(Entry::new(id, &key)?);
        }
        if entries.is_empty() {
            return Err(KeyringProblem::Empty.into());
        }
        Ok(Self(entries.into()))
    }

    /// Seals `plain` for one place with the newest key. Nonces are random: seal at most 2^32 records with
    /// one key (NIST SP 800-38D, 8.3), then put a new one in front.
    pub fn seal(&self, plain: &[u8], place: Place<'_>, entropy: &Entropy) -> Result<Vec<u8>, Error> {
        let entry = self.newest();
        let mut record = header(&entry.id);
        let aad = associated(&record, place);
        let nonce: [u8; NONCE_LEN] = entropy.bytes();
        let mut text = Vec::with_capacity(plain.len() + AES_256_GCM.tag_len());
        text.extend_from_slice(plain);
        entry.seal.seal_in_place_append_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(aad),
            &mut text,
        )?;
        record.extend_from_slice(&nonce);
        record.append(&mut text);
        Ok(record)
    }

    /// Opens a record that was sealed for this place, with whichever key sealed it.
    pub fn open(&self, record: &[u8], place: Place<'_>) -> Result<Opened, Error> {
        let (id, sealed) = split(record).ok_or(Error::Tampered)?;
        let entry =
            self.0.iter().find(|entry| entry.id == id).ok_or_else(|| Error::UnknownKey(id.to_owned()))?;
        let (nonce, text) = sealed.split_first_chunk().ok_or(Error::Tampered)?;
        let aad = associated(&header(id), place);
        let mut plain = Zeroizing::new(text.to_vec());
        let length = entry
            .seal
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(aad), &mut plain)
            .map_err(|_| Error::Tampered)?
            .len();
        plain.truncate(length);
        Ok(Secret::new(plain))
    }

    /// The record under the newest key, or `None` when it already is.
    pub fn reseal(
        &self,
        record: &[u8],
        place: Place<'_>,
        entropy: &Entropy,
    ) -> Result<Option<Vec<u8>>, Error> {
        let plain = self.open(record, place)?;
        match split(record) {
            Some((id, _)) if id == self.newest().id => Ok(None),
            _ => self.seal(plain.expose(), place, entropy).map(Some),
        }
    }

    /// The HMAC-SHA256 of `data` under the newest key of this purpose.
    pub fn mac(&self, purpose: Purpose, data: &[u8]) -> [u8; 32] {
        let mut out = [0; 32];
        out.copy_from_slice(hmac::sign(self.newest().mac_key(purpose), data).as_ref());
        out
    }

    /// Whether `mac` is of `data`, under any key: a form survives the coming of a new key.
    pub fn mac_matches(&self, purpose: Purpose, data: &[u8], mac: &[u8]) -> bool {
        self.0.iter().any(|entry| hmac::verify(entry.mac_key(purpose), data, mac).is_ok())
    }

    /// The ids of the keys, newest first.
    pub fn key_ids(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|entry| entry.id.as_str())
    }

    /// A 32-byte key for `purpose` from each root key, newest first.
    pub(crate) fn derive_all(&self, purpose: &str) -> Result<Vec<Zeroizing<[u8; 32]>>, Error> {
        self.0.iter().map(|entry| derive(&entry.root, purpose)).collect()
    }

    fn newest(&self) -> &Entry {
        // INVARIANT: `from_entries` refuses an empty keyring.
        &self.0[0]
    }
}

impl Entry {
    fn new(id: String, key: &[u8; 32]) -> Result<Self, Error> {
        let root = hkdf::Salt::new(hkdf::HKDF_SHA256, b"tollgate").extract(key);
        let mac = |purpose| Ok::<_, Error>(hmac::Key::new(hmac::HMAC_SHA256, &*derive(&root, purpose)?));
        Ok(Self {
            id,
            seal: LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &*derive(&root, "seal")?)?),
            csrf: mac("csrf")?,
            arguments: mac("arguments")?,
            root,
        })
    }

    fn mac_key(&self, purpose: Purpose) -> &hmac::Key {
        match purpose {
            Purpose::Csrf => &self.csrf,
            Purpose::Arguments => &self.arguments,
        }
    }
}

impl FromStr for Keyring {
    type Err = Error;

    /// `id:base64`, newest first, separated by commas or white space.
    fn from_str(text: &str) -> Result<Self, Error> {
        let entries = text.split(|c: char| c == ',' || c.is_whitespace()).filter(|entry| !entry.is_empty());
        let mut keys = Vec::new();
        for (at, entry) in entries.enumerate() {
            let (id, encoded) = entry.split_once(':').ok_or(KeyringProblem::Form(at + 1))?;
            let mut key = Zeroizing::new([0; 32]);
            // The estimate of the decoder asks for up to two bytes more than it writes.
            let mut bytes = Zeroizing::new([0; 36]);
            match STANDARD.decode_slice(encoded, &mut *bytes) {
                Ok(32) => key.copy_from_slice(&bytes[..32]),
                _ => return Err(KeyringProblem::Length(id.chars().take(32).collect()).into()),
            }
            keys.push((id.to_owned(), key));
        }
        Self::from_entries(keys)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Keyring").field(&self.key_ids().collect::<Vec<_>>()).finish()
    }
}

fn derive(root: &hkdf::Prk, purpose: &str) -> Result<Zeroizing<[u8; 32]>, Error> {
    let mut key = Zeroizing::new([0; 32]);
    root.expand(&[purpose.as_bytes()], hkdf::HKDF_SHA256)?.fill(&mut *key)?;
    Ok(key)
}

fn header(id: &str) -> Vec<u8> {
    // INVARIANT: an id has at most 32 bytes; one read from a record has its length in a byte.
    let mut header = vec![VERSION, u8::try_from(id.len()).unwrap_or(u8::MAX)];
    header.extend_from_slice(id.as_bytes());
    header
}

/// The key id of a record, and what follows it.
fn split(record: &[u8]) -> Option<(&str, &[u8])> {
    let [VERSION, length, rest @ ..] = record else { return None };
    let (id, sealed) = rest.split_at_checked(usize::from(*length))?;
    Some((std::str::from_utf8(id).ok()?, sealed))
}

/// The header is authenticated with the place: a record can't be relabelled to another key or version.
fn associated(header: &[u8], place: Place<'_>) -> Vec<u8> {
    let mut aad = header.to_vec();
    place.encode(&mut aad);
    aad
}
