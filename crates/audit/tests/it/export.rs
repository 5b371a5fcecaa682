//! Taking the log away.

use audit::{Filter, Format, export};
use domain::Outcome;
use futures_util::{StreamExt, TryStreamExt};

use crate::desk::Desk;

async fn exported(desk: &Desk, filter: Filter, format: Format) -> (usize, String) {
    let chunks = export(desk.storage.clone(), desk.tenant, filter, format);
    let chunks: Vec<_> = chunks.try_collect().await.unwrap();
    (chunks.len(), String::from_utf8(chunks.concat()).unwrap())
}

#[tokio::test]
async fn ndjson_has_a_row_a_line_and_a_page_a_chunk() {
    let desk = Desk::new().await;
    for _ in 0..2300 {
        desk.record(&desk.denied()).await;
    }
    desk.record(&desk.allowed()).await;
    desk.drain().once().await.unwrap();
    let denied = Filter { outcomes: vec![Outcome::Deny], ..Filter::default() };
    let (chunks, text) = exported(&desk, denied, Format::Ndjson).await;
    assert_eq!(chunks, 3, "a thousand rows each");
    let rows: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ids: std::collections::BTreeSet<_> = rows.iter().map(|row| row["id"].as_str().unwrap()).collect();
    assert_eq!((rows.len(), ids.len()), (2300, 2300));
    assert_eq!(rows[0]["message"], "People delete runs.");
    assert!(rows[0].get("tenant").is_none());
}

#[tokio::test]
async fn csv_has_a_header_and_no_formula() {
    let desk = Desk::new().await;
    let mut decision = desk.denied();
    decision.tool = Some("=cmd|'/c calc'!A1".to_owned());
    decision.client.name = Some("@evil".to_owned());
    decision.message = Some("a \"quoted\",\nline".to_owned());
    desk.record(&decision).await;
    desk.drain().once().await.unwrap();
    let (_, text) = exported(&desk, Filter::default(), Format::Csv).await;
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().unwrap().clone();
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 1);
    let field = |name: &str| &rows[0][header.iter().position(|column| column == name).unwrap()];
    assert_eq!(field("id"), decision.id.to_string());
    assert_eq!(field("tool"), "'=cmd|'/c calc'!A1");
    assert_eq!(field("client"), "'@evil");
    assert_eq!(field("message"), "a \"quoted\",\nline");
    assert_eq!(
        (field("outcome"), field("policy_version"), field("argument_keys")),
        ("deny", "3", "limit run_id")
    );
}

#[tokio::test]
async fn an_empty_export_is_empty_but_for_the_header() {
    let desk = Desk::new().await;
    assert_eq!(exported(&desk, Filter::default(), Format::Ndjson).await, (0, String::new()));
    let (_, text) = exported(&desk, Filter::default(), Format::Csv).await;
    assert!(text.starts_with("id,decided_at,outcome,") && text.lines().count() == 1);
}

#[tokio::test]
async fn no_connection_is_held_between_pages() {
    let desk = Desk::new().await;
    for _ in 0..1500 {
        desk.record(&desk.denied()).await;
    }
    desk.drain().once().await.unwrap();
    // More readers than the pool has connections, all stopped after their first page.
    let mut readers = Vec::new();
    for _ in 0..20 {
        let mut reader =
            Box::pin(export(desk.storage.clone(), desk.tenant, Filter::default(), Format::Ndjson));
        assert!(reader.next().await.unwrap().is_ok());
        readers.push(reader);
    }
    assert_eq!(desk.rows().await.len(), 1500);
}
