//! Tokens: findable by scanners, refused when mistyped, and never printed.

use vault::{Entropy, Error, Token, TokenKind, sha256};

const KINDS: [TokenKind; 3] = [TokenKind::Grant, TokenKind::Key, TokenKind::Session];

#[test]
fn a_token_is_prefix_body_and_checksum() {
    for kind in KINDS {
        let token = Token::generate(kind, &Entropy::System);
        let digits = token.expose().strip_prefix(kind.prefix()).unwrap();
        assert_eq!(digits.len(), 49);
        assert!(digits.bytes().all(|b| b.is_ascii_alphanumeric()));
        assert_eq!(TokenKind::claimed(token.expose()), Some(kind));
        let parsed = Token::parse(kind, token.expose()).unwrap();
        assert_eq!((parsed.hash(), parsed.kind()), (token.hash(), kind));
        assert_eq!(token.hash(), sha256(token.expose().as_bytes()));
    }
}

#[test]
fn two_tokens_differ() {
    let token = || Token::generate(TokenKind::Grant, &Entropy::System).expose().to_owned();
    assert_ne!(token(), token());
}

#[test]
fn one_wrong_character_anywhere_is_noticed() {
    let token = Token::generate(TokenKind::Grant, &Entropy::seeded(1));
    let text = token.expose();
    for at in 0..text.len() {
        for wrong in ['0', 'z', '_', ' ', '\u{e9}'] {
            let changed: String = text.char_indices().map(|(i, c)| if i == at { wrong } else { c }).collect();
            if changed != text {
                let parsed = Token::parse(TokenKind::Grant, &changed).map(|token| token.hash());
                assert_eq!(parsed, Err(Error::NotAToken), "{at} {wrong}");
            }
        }
        assert!(Token::parse(TokenKind::Grant, &text[..at]).is_err(), "cut at {at}");
    }
    for padded in [format!("{text} "), format!(" {text}"), format!("{text}0"), text.to_uppercase()] {
        assert!(Token::parse(TokenKind::Grant, &padded).is_err(), "{padded}");
    }
}

#[test]
fn a_token_of_one_kind_is_not_of_another() {
    for made in KINDS {
        let token = Token::generate(made, &Entropy::System);
        for asked in KINDS {
            assert_eq!(Token::parse(asked, token.expose()).is_ok(), made == asked);
            // The checksum is over the prefix as well, so swapping that does not help.
            let swapped = token.expose().replace(made.prefix(), asked.prefix());
            assert_eq!(Token::parse(asked, &swapped).is_ok(), made == asked);
        }
    }
    assert_eq!(TokenKind::claimed("Bearer"), None);
}

#[test]
fn a_token_prints_as_its_hint() {
    let token = Token::generate(TokenKind::Key, &Entropy::seeded(1));
    let last = &token.expose()[token.expose().len() - 4..];
    assert_eq!(token.hint(), format!("tg_key_…{last}"));
    assert_eq!(format!("{token:?}"), format!("Token(tg_key_…{last})"));
}
