//! `tollgate audit verify`: walks the hash chain of one organisation's log, or of all, and prints a line for each.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use domain::TenantId;
use storage::Storage;

use crate::cli::VerifyArgs;

/// Walks the chains. The status is a failure when one is broken.
///
/// # Errors
/// The database does not answer, or standard output can't be written.
pub async fn verify(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let storage = Storage::connect(&args.database.storage()?).context("DATABASE_URL")?;
    let tenants = match args.tenant {
        Some(tenant) => vec![TenantId::from(tenant)],
        None => audit::tenants(&storage).await?,
    };
    let mut status = ExitCode::SUCCESS;
    let mut out = std::io::stdout();
    for tenant in tenants {
        let verified = audit::verify(&storage, tenant).await?;
        match verified.fault {
            None => writeln!(
                out,
                "ok      {tenant}: {} decisions in {} batches, head {}",
                verified.rows, verified.batches, verified.head
            )?,
            Some(fault) => {
                status = ExitCode::FAILURE;
                writeln!(out, "broken  {tenant}: {fault}, after {} decisions that are whole", verified.rows)?;
            }
        }
    }
    Ok(status)
}
