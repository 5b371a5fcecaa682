//! Randomness: repeatable where a test asks for it, and never the same twice where it does not.

use chrono::DateTime;
use domain::GrantId;
use vault::{Entropy, equal, sha256};

#[test]
fn a_seed_decides_the_stream_and_clones_share_it() {
    let (one, two) = (Entropy::seeded(7), Entropy::seeded(7));
    let clone = one.clone();
    let first: [u8; 40] = one.bytes();
    assert_eq!(first, two.bytes::<40>());
    assert_ne!(clone.bytes::<40>(), first, "a clone goes on where the other stopped");
    assert_ne!(Entropy::seeded(8).bytes::<40>(), first);
}

#[test]
fn the_system_never_repeats() {
    assert_ne!(Entropy::System.bytes::<32>(), Entropy::System.bytes::<32>());
}

#[test]
fn ids_carry_their_time_and_differ() {
    let now = DateTime::from_timestamp_millis(1_700_000_000_123).unwrap();
    let (one, two) = (Entropy::System.id::<GrantId>(now), Entropy::System.id::<GrantId>(now));
    assert_ne!(one, two);
    assert_eq!(one.uuid().get_version_num(), 7);
    assert_eq!(one.to_string()[..13], *"018bcfe5-687b");
}

#[test]
fn sha_256_is_the_standards() {
    // FIPS 180-4, example "abc".
    let abc = crate::hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert!(equal(&sha256(b"abc"), &abc));
    assert!(!equal(&sha256(b"abd"), &abc));
    assert!(!equal(b"ab", b"abc"));
}
