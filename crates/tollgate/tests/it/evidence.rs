//! `tollgate audit` as an auditor uses it: the log of some days is taken away, and proves itself without the database.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use domain::Clock;
use serde_json::{Value, json};
use testkit::{Api, eventually};

use crate::caller::Caller;
use crate::stack::Stack;

const TOOLS: [&str; 3] = ["flowforge_health_check", "flowforge_list_runs", "flowforge_send_event"];

/// An installation whose one organisation has made a call of each tool; the last is refused.
struct Desk {
    stack: Stack,
    tenant: String,
    /// Yesterday and tomorrow, so that today is between them also at midnight.
    days: [String; 2],
    file: PathBuf,
}

impl Desk {
    async fn new() -> Self {
        let stack = Stack::start().await;
        let process = stack.serve(&[]).await;
        let api = Api::sign_up(&process.url).await;
        let server = stack.register(&api, "/mcp/json").await;
        let document = json!({ "version": "1", "default": "deny", "tools": { TOOLS[0]: {}, TOOLS[1]: {} } });
        let policy = api.policy(&server, "agents", &document).await;
        let grant = api.mint(&server, &policy, "agent").await;
        let caller = Caller::new(&process.url, &server, &grant.token);
        for tool in TOOLS {
            let answer = caller.call(tool, &json!({})).await.unwrap();
            assert_eq!(answer.allowed(), tool != TOOLS[2], "{answer:?}");
        }
        let mut owner = stack.installation().owner().await;
        let tenant = eventually("the rows of the calls", async || {
            let tenant: Option<String> = sqlx::query_scalar(
                "SELECT tenant_id::text FROM decisions WHERE completion = 'closed' GROUP BY 1 HAVING count(*) >= 3",
            )
            .fetch_optional(&mut owner)
            .await
            .unwrap();
            tenant
        })
        .await;
        // Nothing is written any more.
        assert!(process.stop().await.success());
        let today = Clock::System.now().date_naive();
        let days = [today.pred_opt().unwrap(), today.succ_opt().unwrap()].map(|day| day.to_string());
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("evidence-{tenant}.ndjson"));
        Self { stack, tenant, days, file }
    }

    async fn audit(&self, arguments: &[&str]) -> Output {
        self.stack.installation().run(&[&["audit"], arguments].concat()).await
    }

    async fn export(&self, tenant: &str, [from, to]: [&str; 2], more: &[&str]) -> Output {
        let arguments = ["export", "--tenant", tenant, "--from", from, "--to", to];
        self.audit(&[&arguments, more].concat()).await
    }

    fn file(&self) -> &str {
        self.file.to_str().unwrap()
    }

    /// Verifies the file where there is no database: whether it is whole, and what is said.
    fn verify(&self, more: &[&str]) -> (bool, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tollgate"));
        command.args(["audit", "verify", "--file", self.file()]).args(more);
        let output = command.env_remove("DATABASE_URL").output().unwrap();
        assert_eq!(output.stderr, b"", "{output:?}");
        (output.status.success(), String::from_utf8(output.stdout).unwrap())
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _removed = fs::remove_file(&self.file);
    }
}

fn told(output: &Output) -> String {
    assert!(!output.status.success(), "{output:?}");
    assert_eq!(output.stdout, b"", "nothing is written where something is wrong");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_written_and_proves_itself() {
    let desk = Desk::new().await;
    let days = desk.days.each_ref().map(String::as_str);
    let written = desk.export(&desk.tenant, days, &["--file", desk.file()]).await;
    assert!(written.status.success(), "{written:?}");
    assert_eq!(written.stdout, b"", "it is in the file");
    let printed = desk.export(&desk.tenant, days, &[]).await;
    assert!(printed.status.success(), "{printed:?}");
    let text = fs::read_to_string(&desk.file).unwrap();
    assert_eq!(String::from_utf8(printed.stdout).unwrap(), text, "the same without a file");

    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let member = |name: &str| lines.iter().filter_map(|line| line.get(name)).collect::<Vec<_>>();
    assert!(lines[0].get("export").is_some() && lines.last().unwrap().get("end").is_some(), "{text}");
    let tools: Vec<_> = member("decision").iter().filter_map(|row| row["tool"].as_str()).collect();
    assert_eq!(tools, TOOLS);
    assert!(member("decision").iter().all(|row| row["tenant_id"] == desk.tenant.as_str()));
    assert!(member("ending").len() >= 2, "of the calls that were let through: {text}");

    let (whole, told) = desk.verify(&[]);
    assert!(whole, "{told}");
    let rows = member("decision").len();
    assert!(told.starts_with(&format!("ok      {}: {rows} decisions in ", desk.tenant)), "{told}");
    assert!(told.contains(&format!("written from {} to {}", days[0], days[1])), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_holds_to_kept_heads_and_shows_what_was_done_to_it() {
    let desk = Desk::new().await;
    let days = desk.days.each_ref().map(String::as_str);
    let written = desk.export(&desk.tenant, days, &["--file", desk.file()]).await;
    assert!(written.status.success(), "{written:?}");
    let text = fs::read_to_string(&desk.file).unwrap();

    let again = told(&desk.export(&desk.tenant, days, &["--file", desk.file()]).await);
    assert!(again.contains(desk.file()), "{again}");
    assert_eq!(fs::read_to_string(&desk.file).unwrap(), text, "what is there is not overwritten");

    let today = Clock::System.now().date_naive().to_string();
    let head = desk.audit(&["head", "--day", &today]).await;
    let line = String::from_utf8(head.stdout).unwrap();
    let head = line.trim().strip_prefix(&format!("{} ", desk.tenant)).unwrap();
    assert!(desk.verify(&["--head", head]).0);
    let (whole, told) = desk.verify(&["--head", &format!("{today}={}", "ab".repeat(32))]);
    assert!(!whole && told.starts_with("broken"), "{told}");

    let last = text.trim_end().rfind('\n').unwrap();
    for changed in [
        text.replace(TOOLS[1], TOOLS[2]),
        text[..=last].to_owned(),
        text.replacen("\"allow\"", "\"deny\"", 1),
    ] {
        assert_ne!(changed, text);
        fs::write(&desk.file, changed).unwrap();
        let (whole, told) = desk.verify(&[]);
        assert!(!whole && told.starts_with(&format!("broken  {}: ", desk.tenant)), "{told}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_can_not_be_exported_is_said() {
    let desk = Desk::new().await;
    let [first, last] = desk.days.each_ref().map(String::as_str);
    let file = ["--file", desk.file()];
    let stranger = "01890a5d-ac96-774b-bcce-b302099a8057";
    for (tenant, days, expected) in [
        (desk.tenant.as_str(), [last, first], "turn them round"),
        (desk.tenant.as_str(), ["2020-01-01", "2020-01-31"], "nothing was written"),
        (stranger, [first, last], "nothing was written"),
        (desk.tenant.as_str(), ["yesterday", last], "--from"),
        ("acme", [first, last], "--tenant"),
    ] {
        let said = told(&desk.export(tenant, days, &file).await);
        assert!(said.contains(expected), "{tenant} {days:?}: {said}");
        assert!(!desk.file.exists(), "no file is left where there was nothing to write");
    }
}
