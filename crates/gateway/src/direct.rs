//! Stands in for what `audit` will bring.

pub(crate) async fn record_direct(_: &storage::Storage, _: &audit::Decision) -> Result<(), std::fmt::Error> {
    Err(std::fmt::Error)
}

pub(crate) async fn close_direct(_: &storage::Storage, _: &audit::Closing) -> Result<(), std::fmt::Error> {
    Err(std::fmt::Error)
}
