//! Settings and their documentation say the same: names, defaults and ranges, both ways.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use clap::{Arg, CommandFactory as _};

use super::*;

/// The pages that list settings.
const PAGES: [&str; 3] = ["operating.md", "observability.md", "bridge.md"];
/// The variable of the pages' examples, in the reader's own shell.
const OF_READERS: &str = "TOLLGATE_KEY";

/// A variable, as the code has it.
struct Setting {
    flag: String,
    default: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The variables that some command reads.
fn settings() -> BTreeMap<String, Setting> {
    let mut cli = Cli::command();
    cli.build();
    let (mut commands, mut settings) = (vec![&cli], BTreeMap::new());
    while let Some(command) = commands.pop() {
        commands.extend(command.get_subcommands());
        for arg in command.get_arguments() {
            if let Some(variable) = arg.get_env() {
                let setting = Setting {
                    flag: format!("--{}", arg.get_long().expect("it has a flag")),
                    default: default(arg),
                };
                settings.insert(variable.to_string_lossy().into_owned(), setting);
            }
        }
    }
    settings
}

fn default(arg: &Arg) -> String {
    let values: Vec<_> = arg.get_default_values().iter().map(|value| value.to_string_lossy()).collect();
    match (arg.is_required_set(), values.is_empty()) {
        (true, _) => "required".to_owned(),
        (false, true) => "none".to_owned(),
        (false, false) => values.join(","),
    }
}

/// A row of a table of settings.
struct Row {
    names: Vec<String>,
    default: String,
    range: Option<(u64, u64)>,
}

/// Every row of every table whose first columns are `setting` and `default`.
fn documented() -> Vec<Row> {
    let mut rows = Vec::new();
    for page in PAGES {
        let text = std::fs::read_to_string(root().join("docs").join(page)).unwrap();
        let mut columns: Vec<&str> = Vec::new();
        for line in text.lines() {
            let cells: Vec<_> = line.split('|').map(str::trim).collect();
            match cells.as_slice() {
                ["", "setting", "default", ..] => columns = cells,
                ["", first, default, ..] if !columns.is_empty() && !first.starts_with("---") => {
                    let range = columns.iter().position(|name| *name == "range");
                    rows.push(Row {
                        names: first.split('`').skip(1).step_by(2).map(str::to_owned).collect(),
                        default: default.split(' ').next().unwrap_or_default().replace('`', ""),
                        range: range.and_then(|at| read_range(cells[at])),
                    });
                }
                ["", ..] => {}
                _ => columns.clear(),
            }
        }
    }
    rows
}

fn read_range(cell: &str) -> Option<(u64, u64)> {
    let (least, most) = cell.split_once(" to ")?;
    Some((least.parse().ok()?, most.split(' ').next()?.parse().ok()?))
}

#[test]
fn every_setting_is_documented_with_its_default() {
    let (settings, rows) = (settings(), documented());
    let mut named = BTreeMap::new();
    for row in &rows {
        for name in &row.names {
            assert!(named.insert(name.as_str(), row).is_none(), "{name} has two rows");
        }
    }
    let read: BTreeSet<_> = settings.keys().map(String::as_str).collect();
    let listed: BTreeSet<_> = named.keys().copied().collect();
    assert!(read.len() > 50, "the settings were not found: {read:?}");
    assert_eq!(read, listed, "left: what is read, right: what docs/ lists");
    for (name, setting) in &settings {
        assert_eq!(named[name.as_str()].default, setting.default, "{name}: left: docs/, right: the code");
    }
}

#[test]
fn every_range_is_as_documented() {
    let settings = settings();
    let mut checked = 0;
    for row in documented() {
        let Some((least, most)) = row.range else { continue };
        for name in &row.names {
            let serve = |value: u64| {
                let needed = [
                    "tollgate",
                    "serve",
                    "--url=http://localhost",
                    "--database-url=postgres://db/tollgate",
                    "--redis-url=redis://redis",
                    "--keys=k",
                ];
                let given = format!("{}={value}", settings[name].flag);
                let cli = Cli::try_parse_from(needed.iter().map(ToString::to_string).chain([given]));
                cli.map(drop).map_err(|error| error.to_string())
            };
            for value in [least, most] {
                assert_eq!(serve(value), Ok(()), "{name}={value}");
            }
            for value in least.checked_sub(1).into_iter().chain([most + 1]) {
                let error = serve(value).unwrap_err();
                assert!(error.contains(&format!("{name}: write ")), "{name}={value}: {error}");
            }
            checked += 1;
        }
    }
    assert!(checked > 20, "the ranges were not found");
}

/// Nothing reads the environment behind the command line's back, and no message names a variable that there is not.
#[test]
fn every_variable_that_the_code_names_is_a_setting() {
    let (settings, mut named) = (settings(), 0);
    let mut folders = vec![root().join("crates"), root().join("deploy")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let of_tests = ["tests", "benches", "testkit"].iter().any(|name| path.ends_with(name));
            if path.is_dir() && !of_tests {
                folders.push(path);
            } else if path.is_file() && !path.ends_with("cli/tests.rs") {
                let Ok(text) = std::fs::read_to_string(&path) else { continue };
                for word in text.split(|c: char| !c.is_ascii_uppercase() && c != '_' && !c.is_ascii_digit()) {
                    // The container's entrypoint takes files in the place of some.
                    let setting = word.strip_suffix("_FILE").filter(|_| !settings.contains_key(word));
                    let known = settings.contains_key(setting.unwrap_or(word)) || word == OF_READERS;
                    assert!(!word.starts_with("TOLLGATE_") || known, "{}: {word}", path.display());
                    named += usize::from(word.starts_with("TOLLGATE_"));
                }
            }
        }
    }
    assert!(named > 100, "the sources were not read");
}
