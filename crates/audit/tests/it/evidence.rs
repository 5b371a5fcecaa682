//! An export with its chain: whatever is done to the file is found without a database, and the first row is named.

use audit::{DayHead, Error, Evidence, Fault, FileVerified, check, day_head};
use chrono::{NaiveDate, TimeDelta};
use domain::DecisionId;
use ledger::GiveBack;

use crate::desk::{Desk, start};
use crate::verify::{chained, execute};

fn day() -> NaiveDate {
    start().date_naive()
}

async fn exported(desk: &Desk, from: NaiveDate, to: NaiveDate) -> Result<Vec<String>, Error> {
    let mut evidence = Evidence::new(desk.storage.clone(), desk.tenant, from, to);
    let mut bytes = Vec::new();
    while let Some(chunk) = evidence.next().await? {
        bytes.extend_from_slice(&chunk);
    }
    Ok(String::from_utf8(bytes).unwrap().lines().map(str::to_owned).collect())
}

fn read(lines: &[String], kept: &[DayHead]) -> FileVerified {
    check(lines.join("\n").as_bytes(), kept, None).unwrap()
}

fn fault(lines: &[String]) -> Option<Fault> {
    read(lines, &[]).verified.fault
}

/// Where in the file this part of a decision is.
fn at(lines: &[String], part: &str, id: DecisionId) -> usize {
    let (start, id) = (format!("{{\"{part}\":"), format!("\"id\":\"{id}\""));
    lines.iter().position(|line| line.starts_with(&start) && line.contains(&id)).unwrap()
}

#[tokio::test]
async fn a_file_proves_itself() {
    let (desk, ids, _owner) = chained().await;
    let lines = exported(&desk, day(), day()).await.unwrap();
    // The first and the last line, three batches, nine decisions, two of them with an ending of their own.
    assert_eq!(lines.len(), 2 + 3 + 9 + 2, "{lines:#?}");
    let whole = read(&lines, &[]);
    let known = audit::verify(&desk.storage, desk.tenant).await.unwrap();
    assert_eq!((whole.verified, whole.tenant, whole.replaced_later), (known, desk.tenant, 0));
    assert_eq!(at(&lines, "ending", ids[2]), 9, "behind the second batch and its decisions");
    assert!(matches!(
        exported(&desk, day() + TimeDelta::days(1), day() + TimeDelta::days(2)).await,
        Err(Error::NothingWritten)
    ));
}

#[tokio::test]
async fn a_row_of_the_file_changed_removed_moved_or_added_is_found() {
    let (desk, ids, _owner) = chained().await;
    let lines = exported(&desk, day(), day()).await.unwrap();
    for (n, id) in ids.iter().enumerate() {
        let line = at(&lines, "decision", *id);
        let mut changed = lines.clone();
        changed[line] = changed[line].replace("\"identity\":\"ada", "\"identity\":\"eve");
        assert_eq!(fault(&changed), Some(Fault::Changed(*id)), "{n}");

        let mut added = lines.clone();
        let other: DecisionId = desk.id();
        added.insert(line, lines[line].replace(&id.to_string(), &other.to_string()));
        assert_eq!(fault(&added), Some(Fault::SlippedIn(other)), "{n}");
        let mut twice = lines.clone();
        twice.insert(line, lines[line].clone());
        assert!(fault(&twice).is_some(), "{n}");

        let mut removed = lines.clone();
        removed.remove(line);
        assert_eq!(fault(&removed), Some(Fault::Removed(*id)), "{n}");
    }
    let mut moved = lines.clone();
    let (one, other) = (at(&lines, "decision", ids[3]), at(&lines, "decision", ids[4]));
    moved.swap(one, other);
    assert_eq!(fault(&moved), Some(Fault::Moved(ids[4])));
    let mut elsewhere = lines.clone();
    let line = elsewhere.remove(at(&lines, "decision", ids[1]));
    elsewhere.insert(at(&elsewhere, "decision", ids[6]), line);
    assert_eq!(fault(&elsewhere), Some(Fault::Removed(ids[1])));
}

#[tokio::test]
async fn an_ending_of_the_file_changed_or_removed_is_found_and_the_first_is_named() {
    let (desk, ids, _owner) = chained().await;
    let lines = exported(&desk, day(), day()).await.unwrap();
    let line = at(&lines, "ending", ids[2]);
    let mut changed = lines.clone();
    changed[line] = changed[line].replace("\"upstream_status\":200", "\"upstream_status\":500");
    let later = at(&lines, "decision", ids[7]);
    changed[later] = changed[later].replace("ada", "eve");
    assert_eq!(fault(&changed), Some(Fault::Changed(ids[2])));
    let mut removed = lines.clone();
    removed.remove(line);
    assert_eq!(fault(&removed), Some(Fault::Removed(ids[2])));
    // Somebody says that batch 3 has another ending of it.
    let mut replaced = lines.clone();
    replaced[line] = format!("{{\"replaced\":{{\"id\":\"{}\",\"batch\":3}}}}", ids[2]);
    assert_eq!(fault(&replaced), Some(Fault::Removed(ids[2])));
    // Or one that is not in the file: it is told that this is open.
    replaced[line] = replaced[line].replace(":3}", ":4}");
    assert_eq!(read(&replaced, &[]).replaced_later, 1);
}

#[tokio::test]
async fn a_batch_of_the_file_changed_or_removed_is_found() {
    let (desk, _, _owner) = chained().await;
    let lines = exported(&desk, day(), day()).await.unwrap();
    let batches: Vec<usize> =
        (0..lines.len()).filter(|&line| lines[line].starts_with("{\"batch\"")).collect();
    for (number, &line) in (1..).zip(&batches) {
        for (what, with) in [("\"entries\":\"A", "\"entries\":\"B"), ("\"number\":", "\"number\":1")] {
            let mut changed = lines.clone();
            changed[line] = changed[line].replace(what, with);
            assert_ne!(changed[line], lines[line]);
            assert_eq!(fault(&changed), Some(Fault::Batch(number)), "{what}");
        }
    }
    let mut removed = lines.clone();
    removed.drain(batches[1]..batches[2]);
    assert_eq!(fault(&removed), Some(Fault::Batch(2)));
    let mut other = lines.clone();
    other[0] = other[0].replace(&desk.tenant.to_string(), &desk.id::<domain::TenantId>().to_string());
    assert_eq!(fault(&other), Some(Fault::Batch(1)));
    for wrong in ["{}", "", "{\"decision\":7}", "{\"ending\":{}}"] {
        let mut odd = lines.clone();
        odd.insert(4, wrong.to_owned());
        assert_eq!(fault(&odd), Some(Fault::Line(5)), "{wrong}");
    }
    check("".as_bytes(), &[], None).unwrap_err();
    check(lines[1..].join("\n").as_bytes(), &[], None).unwrap_err();
}

#[tokio::test]
async fn a_tail_that_was_cut_off_is_found_with_a_head_that_was_kept() {
    let (desk, _, mut owner) = chained().await;
    let head = day_head(&desk.storage, desk.tenant, day()).await.unwrap().unwrap();
    assert_eq!(day_head(&desk.storage, desk.tenant, day() - TimeDelta::days(1)).await.unwrap(), None);
    let lines = exported(&desk, day(), day()).await.unwrap();
    assert_eq!(read(&lines, &[head]).verified.fault, None);
    let third = lines.iter().rposition(|line| line.starts_with("{\"batch\"")).unwrap();
    let mut cut = lines[..third].to_vec();
    assert_eq!(read(&cut, &[head]).verified.fault, Some(Fault::Cut));
    // Whoever cuts with care writes the last line anew, and only the head tells.
    let batches = read(&cut, &[]).verified;
    cut.push(format!("{{\"end\":{{\"number\":2,\"hash\":\"{}\"}}}}", batches.head));
    assert_eq!(fault(&cut), None);
    assert_eq!(read(&cut, &[head]).verified.fault, Some(Fault::Head(day())));

    // So it is in the database.
    let against =
        async |head| audit::verify_against(&desk.storage, desk.tenant, &[head]).await.unwrap().fault;
    assert_eq!(against(head).await, None);
    execute(&mut owner, "UPDATE decisions SET closed_batch = NULL, closed_at = NULL, failed = NULL, upstream_status = NULL,
        gateway_micros = NULL, upstream_micros = NULL, response_bytes = NULL, refunded = NULL WHERE closed_batch = 3").await;
    execute(&mut owner, "DELETE FROM decisions WHERE batch = 3").await;
    execute(&mut owner, "DELETE FROM audit_batches WHERE number = 3").await;
    execute(
        &mut owner,
        "UPDATE audit_heads h SET number = 2, hash = b.hash FROM audit_batches b WHERE b.number = 2",
    )
    .await;
    assert_eq!(audit::verify(&desk.storage, desk.tenant).await.unwrap().fault, None);
    assert_eq!(against(head).await, Some(Fault::Head(day())));
}

#[tokio::test]
async fn what_was_done_to_the_table_is_found_in_the_file() {
    for (statement, at) in [
        ("UPDATE decisions SET identity = 'eve' WHERE id = '{}'", 4),
        ("DELETE FROM decisions WHERE id = '{}'", 0),
        ("UPDATE decisions SET failed = true WHERE id = '{}'", 2),
    ] {
        let (desk, ids, mut owner) = chained().await;
        execute(&mut owner, &statement.replace("{}", &ids[at].to_string())).await;
        let lines = exported(&desk, day(), day()).await.unwrap();
        assert_eq!(
            fault(&lines),
            audit::verify(&desk.storage, desk.tenant).await.unwrap().fault,
            "{statement}"
        );
        assert!(fault(&lines).is_some());
    }
    let (desk, ids, mut owner) = chained().await;
    let extra: DecisionId = desk.id();
    let statement = format!(
        "INSERT INTO decisions (tenant_id, decided_at, id, batch, decided, forwards, argument_keys)
         SELECT tenant_id, decided_at, '{extra}', 2, 'allow', false, '{{}}' FROM decisions WHERE id = '{}'",
        ids[4]
    );
    execute(&mut owner, &statement).await;
    assert_eq!(fault(&exported(&desk, day(), day()).await.unwrap()), Some(Fault::SlippedIn(extra)));
}

#[tokio::test]
async fn files_of_days_follow_each_other_and_an_end_that_came_late_is_told_once() {
    let desk = Desk::new().await;
    let drain = desk.drain();
    let late = desk.allowed();
    desk.record(&late).await;
    drain.once().await.unwrap();
    desk.advance(std::time::Duration::from_hours(2));
    drain.sweep().await.unwrap();
    desk.advance(std::time::Duration::from_hours(22));
    desk.close(&desk.closing(&late), GiveBack::Nothing).await;
    drain.once().await.unwrap();
    let next = day() + TimeDelta::days(1);
    let (first, second) = (
        read(&exported(&desk, day(), day()).await.unwrap(), &[]),
        read(&exported(&desk, next, next).await.unwrap(), &[]),
    );
    assert_eq!((first.verified.fault, first.replaced_later), (None, 1));
    assert_eq!((second.verified.fault, second.verified.rows, second.verified.batches), (None, 0, 1));
    assert_eq!(first.verified.head, second.behind);
    let both = read(&exported(&desk, day(), next).await.unwrap(), &[]);
    assert_eq!((both.verified.fault, both.verified.rows, both.replaced_later), (None, 1, 0));
}
