//! The weakness: each call of the catalogue's list reaches what the list says.

use serde_json::Value;

use crate::support::{Sim, call};

#[tokio::test]
async fn every_pivot_reaches_what_it_says() {
    let cases: Vec<Value> =
        serde_json::from_str(include_str!("../../../../catalogue/flowforge/pivots.json")).unwrap();
    assert_eq!(cases.len(), 6);
    for case in cases {
        let sim = Sim::start().await;
        let client = sim.modern("/mcp/json").await;
        let tool = case["tool"].as_str().unwrap().to_owned().leak();
        let result = call(&client, tool, case["arguments"].clone()).await.unwrap();
        let rest = sim.log().await["calls"][0]["rest"].clone();
        if case["reaches"] == "nothing: 404" {
            assert_eq!((&rest["status"], result.is_error), (&Value::from(404), Some(true)), "{case}");
        } else {
            assert_eq!((&rest["reached"], &rest["status"]), (&case["reaches"], &Value::from(200)), "{case}");
        }
    }
}
