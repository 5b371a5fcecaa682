//! Signing up, logging in, and how a log-in ends.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use control::Error;
use domain::Role;

use crate::world::{ADDRESS, PASSWORD, World, fields};

#[tokio::test]
async fn signing_up_gives_an_organisation_and_a_log_in() {
    let world = World::new().await;
    let new = world.sign_up(" Ada@Example.com ", "Acme & Sons").await;
    assert_eq!(new.home.as_ref().unwrap().as_str(), "acme-sons");
    let session = world.session(&new).await.unwrap();
    assert_eq!(session.email.as_str(), "ada@example.com");
    assert_eq!(session.organisations.len(), 1);
    let membership = session.membership("acme-sons").unwrap();
    assert_eq!((membership.name.as_str(), membership.role), ("Acme & Sons", Role::Owner));
    let owner = session.actor("acme-sons").unwrap();
    assert_eq!(world.last_action(&owner).await, "organisation.create");
    assert!(matches!(session.actor("other"), Err(Error::NotFound)));
}

#[tokio::test]
async fn all_fields_that_are_wrong_are_named_and_nothing_is_saved() {
    let world = World::new().await;
    let refused = world.try_sign_up("ada", "short", "  ").await;
    assert_eq!(fields(refused), ["/email", "/password", "/organisation"]);
    assert_eq!(fields(world.try_sign_up("ada@example.com", "eleven char", "Acme").await), ["/password"]);
    assert_eq!(world.count("SELECT count(*) FROM users").await, 0);
    assert_eq!(world.count("SELECT count(*) FROM tenants").await, 0);
}

#[tokio::test]
async fn an_address_has_one_account_and_the_second_leaves_nothing() {
    let world = World::new().await;
    world.sign_up("ada@example.com", "Acme").await;
    let again = world.try_sign_up("ADA@example.com", "another password", "Other").await;
    assert_eq!(fields(again), ["/email"]);
    assert_eq!(world.count("SELECT count(*) FROM tenants").await, 1);
    assert_eq!(world.count("SELECT count(*) FROM sessions").await, 1);
    assert!(world.log_in("ada@example.com", "another password", ADDRESS).await.is_err());
}

#[tokio::test]
async fn organisations_of_one_name_have_addresses_of_their_own() {
    let world = World::new().await;
    for (n, slug) in ["acme", "acme-2", "acme-3"].iter().enumerate() {
        let new = world.sign_up(&format!("user{n}@example.com"), "Acme").await;
        assert_eq!(new.home.unwrap().as_str(), *slug);
    }
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_the_same_answer() {
    let world = World::new().await;
    world.sign_up("ada@example.com", "Acme").await;
    let new = world.log_in("Ada@Example.com", PASSWORD, ADDRESS).await.unwrap();
    assert_eq!(new.home.as_ref().unwrap().as_str(), "acme");
    assert_eq!(world.session(&new).await.unwrap().email.as_str(), "ada@example.com");
    let long = "x".repeat(100_000);
    for (email, password) in [
        ("ada@example.com", "wrong password"),
        ("eve@example.com", PASSWORD),
        ("not an address", PASSWORD),
        ("ada@example.com", ""),
        ("ada@example.com", long.as_str()),
    ] {
        let refused = world.log_in(email, password, ADDRESS).await;
        assert!(matches!(refused, Err(Error::Unauthenticated)), "{email}");
    }
}

#[tokio::test]
async fn guessing_is_slowed_down_for_the_guesser() {
    let world = World::new().await;
    world.sign_up("ada@example.com", "Acme").await;
    for _ in 0..10 {
        let refused = world.log_in("ada@example.com", "guessed wrongly", ADDRESS).await;
        assert!(matches!(refused, Err(Error::Unauthenticated)));
    }
    let Err(Error::TooManyAttempts { retry_after }) =
        world.log_in("ada@example.com", PASSWORD, ADDRESS).await
    else {
        panic!("the eleventh was let through")
    };
    assert_eq!(retry_after, Duration::from_mins(15));
    let elsewhere = Some(IpAddr::V4(Ipv4Addr::new(198, 51, 100, 9)));
    world.log_in("ada@example.com", PASSWORD, elsewhere).await.unwrap();
    world.minutes(15);
    world.log_in("ada@example.com", PASSWORD, ADDRESS).await.unwrap();
}

#[tokio::test]
async fn guesses_at_once_are_counted_one_by_one() {
    let world = World::new().await;
    world.sign_up("ada@example.com", "Acme").await;
    let guesses = (0..24).map(|_| {
        let control = world.control.clone();
        tokio::spawn(async move {
            let input = control::LogIn {
                email: "ada@example.com".to_owned(),
                password: crate::world::secret("guessed wrongly"),
            };
            control.log_in(&input, ADDRESS).await
        })
    });
    let guesses: Vec<_> = guesses.collect();
    let (mut tried, mut stopped) = (0, 0);
    for guess in guesses {
        match guess.await.unwrap() {
            Err(Error::Unauthenticated) => tried += 1,
            Err(Error::TooManyAttempts { .. }) => stopped += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((tried, stopped), (10, 14));
}

#[tokio::test]
async fn logging_in_rightly_is_no_guess() {
    let world = World::new().await;
    world.sign_up("ada@example.com", "Acme").await;
    for _ in 0..12 {
        world.log_in("ada@example.com", PASSWORD, ADDRESS).await.unwrap();
    }
}

#[tokio::test]
async fn a_log_in_ends_when_it_is_idle_for_a_day() {
    let world = World::new().await;
    let new = world.sign_up("ada@example.com", "Acme").await;
    for _ in 0..3 {
        world.minutes(23 * 60);
        world.session(&new).await.unwrap();
    }
    world.minutes(24 * 60);
    assert!(matches!(world.session(&new).await, Err(Error::Unauthenticated)));
}

#[tokio::test]
async fn a_log_in_ends_after_two_weeks_however_used() {
    let world = World::new().await;
    let new = world.sign_up("ada@example.com", "Acme").await;
    for _ in 0..27 {
        world.minutes(12 * 60);
        world.session(&new).await.unwrap();
    }
    world.minutes(12 * 60);
    assert!(matches!(world.session(&new).await, Err(Error::Unauthenticated)));
    // The next log-in clears it away.
    world.log_in("ada@example.com", PASSWORD, ADDRESS).await.unwrap();
    world.minutes(1);
    world.log_in("ada@example.com", PASSWORD, ADDRESS).await.unwrap();
    assert_eq!(world.count("SELECT count(*) FROM sessions").await, 2);
}

#[tokio::test]
async fn logging_out_ends_this_log_in_alone() {
    let world = World::new().await;
    let first = world.sign_up("ada@example.com", "Acme").await;
    let second = world.log_in("ada@example.com", PASSWORD, ADDRESS).await.unwrap();
    world.control.log_out(first.token.expose()).await.unwrap();
    world.control.log_out(first.token.expose()).await.unwrap();
    world.control.log_out("no token").await.unwrap();
    assert!(matches!(world.session(&first).await, Err(Error::Unauthenticated)));
    world.session(&second).await.unwrap();
}

#[tokio::test]
async fn only_the_hash_of_a_token_and_of_a_password_is_stored() {
    let world = World::new().await;
    let new = world.sign_up("ada@example.com", "Acme").await;
    let tokens: Vec<Vec<u8>> = sqlx::query_scalar("SELECT token_hash FROM sessions")
        .fetch_all(&mut world.db.owner().await)
        .await
        .unwrap();
    assert_eq!(tokens, [vault::sha256(new.token.expose().as_bytes())]);
    let hash: String = sqlx::query_scalar("SELECT password_hash FROM users")
        .fetch_one(&mut world.db.owner().await)
        .await
        .unwrap();
    assert!(hash.starts_with("$argon2id$") && !hash.contains(PASSWORD));
    assert!(matches!(world.control.session("tg_session_x").await, Err(Error::Unauthenticated)));
}
