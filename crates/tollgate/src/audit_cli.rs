//! `tollgate audit`: walks hash chains, in the database or in a file, takes them away, and notes the heads of days. Everything
//! that a person reads goes to standard output, a line for each organisation.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use audit::{DayHead, Evidence, Verified};
use chrono::NaiveDate;
use clap::{Args, Subcommand};
use domain::TenantId;
use storage::{Storage, StorageConfig};
use uuid::Uuid;

use crate::config::DatabaseConfig;

/// `tollgate audit`.
#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Walk a chain and name the first row that was changed, removed, moved or slipped in
    Verify(VerifyArgs),
    /// Write what an organisation's log got on some days as lines of JSON that prove themselves, for `verify --file`
    Export(ExportArgs),
    /// Print the head of a day for safekeeping, a line for each organisation, for `verify --heads`
    Head(HeadArgs),
}

/// `tollgate audit verify`.
#[derive(Debug, Args)]
pub struct VerifyArgs {
    /// An export to verify; needs no database
    #[arg(long, value_name = "FILE", conflicts_with = "tenant")]
    pub file: Option<PathBuf>,
    /// The organisation's id; every organisation when left out
    #[arg(long, value_name = "ID")]
    pub tenant: Option<Uuid>,
    /// The head that was kept of a day: the chain must come by it. May be given several times, of one organisation
    #[arg(long, value_name = "DAY=HEX")]
    pub head: Vec<DayHead>,
    /// Kept heads of any organisations, as `tollgate audit head` printed them
    #[arg(long, value_name = "FILE")]
    pub heads: Option<PathBuf>,
    /// Decisions of before this day may be missing from the file: the log no longer kept them when it was exported
    #[arg(long, value_name = "DAY", requires = "file")]
    pub kept_from: Option<NaiveDate>,
    /// The database that has the log
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,
}

/// `tollgate audit export`.
#[derive(Debug, Args)]
pub struct ExportArgs {
    /// The organisation's id
    #[arg(long, value_name = "ID")]
    pub tenant: Uuid,
    /// The first day, UTC: 2026-11-01
    #[arg(long, value_name = "DAY")]
    pub from: NaiveDate,
    /// The last day, UTC
    #[arg(long, value_name = "DAY")]
    pub to: NaiveDate,
    /// Where to write; standard output when left out. A file that is there is not overwritten
    #[arg(long, value_name = "FILE")]
    pub file: Option<PathBuf>,
    #[command(flatten)]
    pub database: DatabaseConfig,
}

/// `tollgate audit head`.
#[derive(Debug, Args)]
pub struct HeadArgs {
    /// The day, UTC: 2026-11-26. One that is over: of today it is the head so far
    #[arg(long, value_name = "DAY")]
    pub day: NaiveDate,
    /// The organisation's id; every organisation when left out
    #[arg(long, value_name = "ID")]
    pub tenant: Option<Uuid>,
    #[command(flatten)]
    pub database: DatabaseConfig,
}

/// Does what was asked. The status of `verify` is a failure when a chain is broken.
///
/// # Errors
/// The database does not answer, a file can't be read, or standard output can't be written.
pub async fn run(command: &AuditCommand) -> anyhow::Result<ExitCode> {
    let mut out = std::io::stdout();
    match command {
        AuditCommand::Verify(args) => verify(args, &mut out).await,
        AuditCommand::Export(args) => export(args).await,
        AuditCommand::Head(args) => head(args, &mut out).await,
    }
}

async fn verify(args: &VerifyArgs, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let mut kept = match &args.heads {
        Some(file) => read_heads(&std::fs::read_to_string(file).with_context(|| name(file))?)?,
        None => BTreeMap::new(),
    };
    if let Some(file) = &args.file {
        return verify_file(file, args, &mut kept, out);
    }
    let Some(url) = &args.database_url else {
        bail!("--database-url (DATABASE_URL) or --file is needed: where is the log?");
    };
    let storage = Storage::connect(&StorageConfig::new(url.as_str())).context("DATABASE_URL")?;
    let tenants: BTreeSet<TenantId> = match args.tenant {
        Some(tenant) => [tenant.into()].into(),
        None if args.head.is_empty() => {
            audit::tenants(&storage).await?.into_iter().chain(kept.keys().copied()).collect()
        }
        None => bail!("--head says a day and a hash: say whose it is with --tenant"),
    };
    let mut status = ExitCode::SUCCESS;
    for tenant in tenants {
        let mut heads = kept.remove(&tenant).unwrap_or_default();
        heads.extend(&args.head);
        let verified = audit::verify_against(&storage, tenant, &heads).await?;
        if verified.fault.is_some() {
            status = ExitCode::FAILURE;
        }
        writeln!(out, "{}", told(tenant, &verified))?;
    }
    Ok(status)
}

fn verify_file(
    file: &Path,
    args: &VerifyArgs,
    kept: &mut BTreeMap<TenantId, Vec<DayHead>>,
    out: &mut impl Write,
) -> anyhow::Result<ExitCode> {
    let open = || Ok::<_, std::io::Error>(BufReader::with_capacity(1 << 20, File::open(file)?));
    // Whose it is comes first: heads of its days are looked for, those of others and of other days are not.
    let begins = audit::begins(open().with_context(|| name(file))?).with_context(|| name(file))?;
    let mut heads = args.head.clone();
    let days = begins.from..=begins.to;
    heads.extend(
        kept.remove(&begins.tenant).unwrap_or_default().iter().filter(|head| days.contains(&head.day)),
    );
    let read = audit::check(open().with_context(|| name(file))?, &heads, args.kept_from)
        .with_context(|| name(file))?;
    writeln!(out, "{}", told(read.tenant, &read.verified))?;
    if read.verified.fault.is_some() {
        return Ok(ExitCode::FAILURE);
    }
    writeln!(out, "        written from {} to {}, behind {}", read.from, read.to, read.behind)?;
    if read.replaced_later > 0 {
        writeln!(out, "        {} endings are told by an export of later days", read.replaced_later)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn told(tenant: TenantId, verified: &Verified) -> String {
    let Verified { batches, rows, head, fault } = verified;
    match fault {
        None => format!("ok      {tenant}: {rows} decisions in {batches} batches, head {head}"),
        Some(fault) => format!("broken  {tenant}: {fault}, after {rows} decisions that are whole"),
    }
}

async fn export(args: &ExportArgs) -> anyhow::Result<ExitCode> {
    if args.from > args.to {
        bail!("--from {} is behind --to {}: turn them round", args.from, args.to);
    }
    let storage = Storage::connect(&args.database.storage()?).context("DATABASE_URL")?;
    let mut evidence = Evidence::new(storage, args.tenant.into(), args.from, args.to);
    // Before the file is made: there may be nothing to write.
    let mut chunk = evidence.next().await?;
    let mut out: Box<dyn Write> = match &args.file {
        Some(file) => Box::new(File::create_new(file).with_context(|| name(file))?),
        None => Box::new(std::io::stdout()),
    };
    while let Some(lines) = chunk {
        out.write_all(&lines).context("the export can't be written")?;
        chunk = evidence.next().await?;
    }
    out.flush().context("the export can't be written")?;
    Ok(ExitCode::SUCCESS)
}

async fn head(args: &HeadArgs, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let storage = Storage::connect(&args.database.storage()?).context("DATABASE_URL")?;
    let tenants = match args.tenant {
        Some(tenant) => vec![tenant.into()],
        None => audit::tenants(&storage).await?,
    };
    for tenant in tenants {
        if let Some(head) = audit::day_head(&storage, tenant, args.day).await? {
            writeln!(out, "{tenant} {}={}", head.day, head.hex())?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The lines of `tollgate audit head`.
fn read_heads(text: &str) -> anyhow::Result<BTreeMap<TenantId, Vec<DayHead>>> {
    let mut kept: BTreeMap<TenantId, Vec<DayHead>> = BTreeMap::new();
    for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
        let read = || {
            let (tenant, head) = line.trim().split_once(' ')?;
            Some((tenant.parse::<Uuid>().ok()?, head.parse().ok()?))
        };
        let Some((tenant, head)) = read() else {
            bail!("--heads, line {number}: an organisation's id, a blank, and a head of a day were expected");
        };
        kept.entry(tenant.into()).or_default().push(head);
    }
    Ok(kept)
}

fn name(file: &Path) -> String {
    format!("`{}`", file.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_are_read_as_they_are_printed() {
        let (one, hash) = ("01890a5d-ac96-774b-bcce-b302099a8057", "ab".repeat(32));
        let kept = read_heads(&format!("{one} 2026-11-25={hash}\n\n{one} 2026-11-26={hash}\n")).unwrap();
        assert_eq!(kept.values().map(Vec::len).collect::<Vec<_>>(), [2]);
        let error = read_heads(&format!("{one} 2026-11-25={hash}\n{one} 2026-11-26\n")).unwrap_err();
        assert!(error.to_string().contains("line 2"), "{error}");
    }
}
