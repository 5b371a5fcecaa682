//! How values of settings are read. Each reader knows its variable: who sets variables knows flags by their names alone.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use ipnet::IpNet;

/// Reads milliseconds.
pub fn millis(
    variable: &'static str,
    range: RangeInclusive<u64>,
) -> impl Fn(&str) -> Result<Duration, String> + Clone + Send + Sync + 'static {
    move |text| read(variable, "milliseconds", text, &range).map(Duration::from_millis)
}

/// Reads seconds.
pub fn seconds(
    variable: &'static str,
    range: RangeInclusive<u64>,
) -> impl Fn(&str) -> Result<Duration, String> + Clone + Send + Sync + 'static {
    move |text| read(variable, "whole seconds", text, &range).map(Duration::from_secs)
}

/// Reads a number.
pub fn number<N>(
    variable: &'static str,
    range: RangeInclusive<N>,
) -> impl Fn(&str) -> Result<N, String> + Clone + Send + Sync + 'static
where
    N: FromStr + PartialOrd + std::fmt::Display + Clone + Send + Sync + 'static,
{
    move |text| read(variable, "a number", text, &range)
}

/// Reads a network, or one address.
pub fn network(
    variable: &'static str,
) -> impl Fn(&str) -> Result<IpNet, String> + Clone + Send + Sync + 'static {
    move |text| {
        let text = text.trim();
        let read = text.parse().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        read.map_err(|_| format!("{variable}: `{text}` is no network: write it like 10.8.0.0/16"))
    }
}

fn read<N>(variable: &str, what: &str, text: &str, range: &RangeInclusive<N>) -> Result<N, String>
where
    N: FromStr + PartialOrd + std::fmt::Display,
{
    text.parse()
        .ok()
        .filter(|number| range.contains(number))
        .ok_or_else(|| format!("{variable}: write {what} from {} to {}", range.start(), range.end()))
}
