//! Sealing: opens in its own place, with the right key, unchanged; and in no other way.

use domain::{GrantId, ServerId};
use vault::{Entropy, Error, Keyring, Place, Purpose};

use crate::{NEW, OLD, hex, keyring, tenant};

/// "hunter2" under [`OLD`], made with Python's `cryptography`: HKDF-SHA256 with salt `tollgate` and info
/// `seal`, AES-256-GCM with nonce 100..112, header and length-prefixed place as associated data.
const VECTOR: &str = "0107323032362d3031\
                      6465666768696a6b6c6d6e6f\
                      783527b74e4c7ac978f97a9f5b39460f5497409e700e6d";

fn server() -> ServerId {
    "01890a5d-ac96-774b-bcce-b302099a8058".parse().unwrap()
}

fn place() -> Place<'static> {
    Place::UpstreamHeader { tenant: tenant(), server: server(), name: "x-api-key" }
}

fn open(keyring: &Keyring, record: &[u8], place: Place<'_>) -> Result<Vec<u8>, Error> {
    keyring.open(record, place).map(|plain| plain.expose().to_vec())
}

#[test]
fn opens_a_record_made_elsewhere() {
    assert_eq!(open(&keyring(&[OLD]), &hex(VECTOR), place()), Ok(b"hunter2".to_vec()));
}

#[test]
fn macs_are_the_vectors() {
    let (keyring, hmac) = (keyring(&[OLD]), |purpose| keyring(&[OLD]).mac(purpose, b"abc").to_vec());
    assert_eq!(hmac(Purpose::Csrf), hex("813018020faa33da7a430f12461f1eec3b5859618df699167f23578ce19ea7f2"));
    assert_eq!(
        hmac(Purpose::Arguments),
        hex("49492daa00977a282356341c3858cfa25a902fe5ce0572a63dbae5927b82d45c")
    );
    assert!(keyring.mac_matches(Purpose::Csrf, b"abc", &hmac(Purpose::Csrf)));
    assert!(!keyring.mac_matches(Purpose::Csrf, b"abc", &hmac(Purpose::Arguments)));
    assert!(!keyring.mac_matches(Purpose::Csrf, b"abd", &hmac(Purpose::Csrf)));
    assert!(!keyring.mac_matches(Purpose::Csrf, b"abc", b""));
}

#[test]
fn seals_anything_and_never_the_same_way_twice() {
    let keyring = keyring(&[OLD]);
    for plain in [&b""[..], b"x", &vec![0xff; 100_000]] {
        let one = keyring.seal(plain, place(), &Entropy::System).unwrap();
        let two = keyring.seal(plain, place(), &Entropy::System).unwrap();
        assert_ne!(one, two);
        assert_eq!(open(&keyring, &one, place()), Ok(plain.to_vec()));
    }
}

#[test]
fn every_flipped_bit_and_every_cut_is_noticed() {
    let keyring = keyring(&[OLD]);
    let record = hex(VECTOR);
    for at in 0..record.len() * 8 {
        let mut changed = record.clone();
        changed[at / 8] ^= 1 << (at % 8);
        let opened = open(&keyring, &changed, place());
        assert!(matches!(opened, Err(Error::Tampered | Error::UnknownKey(_))), "bit {at}: {opened:?}");
    }
    for length in 0..record.len() {
        assert_eq!(open(&keyring, &record[..length], place()), Err(Error::Tampered), "cut at {length}");
    }
    assert_eq!(open(&keyring, &[record, vec![0]].concat(), place()), Err(Error::Tampered));
}

#[test]
fn a_record_opens_in_no_other_place() {
    let keyring = keyring(&[OLD]);
    let (tenant, server) = (tenant(), server());
    let grant = GrantId::from(server.uuid());
    for other in [
        Place::UpstreamHeader { tenant, server, name: "x-api-kez" },
        Place::UpstreamHeader { tenant, server, name: "" },
        Place::UpstreamHeader { tenant, server: tenant.uuid().into(), name: "x-api-key" },
        Place::UpstreamHeader { tenant: server.uuid().into(), server, name: "x-api-key" },
        Place::GrantToken { tenant, grant },
        Place::UpstreamClient { tenant, server, issuer: "x-api-key" },
        Place::Connection {
            tenant,
            server,
            connection: server.uuid().into(),
            identity: "",
            issuer: "x-api-key",
        },
        Place::Authorization { tenant, server, state: b"x-api-key" },
        Place::McpSession { tenant, grant },
    ] {
        assert_eq!(open(&keyring, &hex(VECTOR), other), Err(Error::Tampered), "{other:?}");
    }
    let sealed = keyring.seal(b"x", Place::GrantToken { tenant, grant }, &Entropy::System).unwrap();
    assert_eq!(open(&keyring, &sealed, Place::McpSession { tenant, grant }), Err(Error::Tampered));
}

#[test]
fn a_record_of_one_key_can_not_be_relabelled_to_another() {
    let both = keyring(&[NEW, OLD]);
    let mut record = hex(VECTOR);
    record[8] = b'2';
    assert_eq!(open(&both, &record, place()), Err(Error::Tampered));
}

#[test]
fn the_newest_key_seals_and_the_old_ones_open() {
    let (old, both, new) = (keyring(&[OLD]), keyring(&[NEW, OLD]), keyring(&[NEW]));
    let record = old.seal(b"hunter2", place(), &Entropy::System).unwrap();
    assert_eq!(open(&both, &record, place()), Ok(b"hunter2".to_vec()));
    assert_eq!(open(&new, &record, place()), Err(Error::UnknownKey("2026-01".to_owned())));
    assert!(both.mac_matches(Purpose::Csrf, b"abc", &old.mac(Purpose::Csrf, b"abc")));
    assert_eq!(both.mac(Purpose::Csrf, b"abc"), new.mac(Purpose::Csrf, b"abc"));

    let again = both.reseal(&record, place(), &Entropy::System).unwrap().unwrap();
    assert_eq!(open(&new, &again, place()), Ok(b"hunter2".to_vec()));
    assert_eq!(both.reseal(&again, place(), &Entropy::System), Ok(None));
}

#[test]
fn a_bad_keyring_says_how_to_mend_it_and_shows_no_key() {
    let short = "k:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==";
    let zeros = format!("k:{}=", "A".repeat(43));
    for (text, says) in [
        ("", "at least one `id:key`"),
        ("AAECAwQF", "entry 1 of the keyring is not of the form `id:key`"),
        (&OLD.replace("2026-01", "A b"), "not of the form"),
        (&OLD.replace("2026-01", "January"), "entry 1 of the keyring has an unusable id"),
        (&OLD.replace("2026-01", ""), "unusable id"),
        (&OLD.replace("2026-01", &"k".repeat(33)), "1 to 32"),
        (&[OLD, OLD].join("\n"), "key `2026-01` is in the keyring twice"),
        (short, "key `k` is not 32 bytes of base64"),
        ("k:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8", "32 bytes"),
        ("k:hello world", "32 bytes"),
        (&zeros, "key `k` is not random"),
    ] {
        let error = text.parse::<Keyring>().unwrap_err().to_string();
        assert!(error.contains(says), "{text}: {error}");
        assert!(!error.contains("AAEC"), "{error}");
    }
}

#[test]
fn a_keyring_prints_its_ids_alone() {
    assert_eq!(format!("{:?}", keyring(&[NEW, OLD])), r#"Keyring(["2026-02", "2026-01"])"#);
    let opened = keyring(&[OLD]).open(&hex(VECTOR), place()).unwrap();
    assert_eq!(format!("{opened:?}"), "***");
}
