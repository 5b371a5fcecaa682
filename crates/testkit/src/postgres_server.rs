//! A Postgres of one test's own, for what a shared one can't be set to.

#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test fails by panicking")]

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::free_address;

/// Where Postgres' programs usually are, newest first.
const FOLDERS: [&str; 7] = [
    "/usr/lib/postgresql/18/bin",
    "/usr/lib/postgresql/17/bin",
    "/usr/lib/postgresql/16/bin",
    "/usr/lib/postgresql/15/bin",
    "/opt/homebrew/opt/postgresql@17/bin",
    "/usr/local/opt/postgresql@17/bin",
    "/usr/local/bin",
];

/// A server that trusts everybody on this machine; ended, and its data removed, when dropped.
#[derive(Debug)]
pub struct PostgresServer {
    /// Where it listens, on this machine.
    pub port: u16,
    home: PathBuf,
    programs: PathBuf,
}

impl PostgresServer {
    /// Starts one with these lines of configuration, and these files beside it.
    pub fn start(settings: &[&str], files: &[(&str, &str)]) -> Self {
        let path = crate::environment("PATH").unwrap_or_default();
        let programs = std::env::split_paths(&path).chain(FOLDERS.map(PathBuf::from));
        let programs = programs.into_iter().find(|folder| folder.join("initdb").is_file());
        let programs =
            programs.unwrap_or_else(|| panic!("initdb is not installed: run the tests with `make test`"));
        let port = free_address().port();
        // Not below the checkout: Postgres runs as another user where we are root.
        let home = std::env::temp_dir().join(format!("tollgate-test-postgres-{port}"));
        let _old = std::fs::remove_dir_all(&home);
        std::fs::create_dir(&home).unwrap();
        if is_root() {
            succeeds(Command::new("chown").arg("postgres").arg(&home));
        }
        let server = Self { port, home, programs };
        let data = server.home.join("data");
        let initdb =
            ["--username=postgres", "--auth=trust", "--no-sync", "--locale=C", "--encoding=UTF8", "-D"];
        succeeds(server.command("initdb").args(initdb).arg(&data));
        for (name, text) in files {
            private(&data.join(name), text);
        }
        let lines = settings.join("\n") + "\n";
        let base = format!(
            "port = {port}\nlisten_addresses = '127.0.0.1'\nunix_socket_directories = ''\nfsync = off\n"
        );
        let file = data.join("postgresql.conf");
        let given = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, given + &base + &lines).unwrap();
        let log = server.home.join("log");
        succeeds(
            server
                .command("pg_ctl")
                .arg("-D")
                .arg(&data)
                .arg("-l")
                .arg(&log)
                .args(["-w", "-t", "60", "start"]),
        );
        server
    }

    /// One of its programs, as a user that it runs as.
    fn command(&self, program: &str) -> Command {
        let program = self.programs.join(program);
        let mut command = if is_root() {
            let mut other = Command::new("runuser");
            other.args(["-u", "postgres", "--"]).arg(program);
            other
        } else {
            Command::new(program)
        };
        command.current_dir(&self.home);
        command
    }
}

impl Drop for PostgresServer {
    fn drop(&mut self) {
        let data = self.home.join("data");
        let _ended =
            self.command("pg_ctl").arg("-D").arg(data).args(["-m", "immediate", "-w", "stop"]).output();
        let _files = std::fs::remove_dir_all(&self.home);
    }
}

/// A file that nobody but Postgres reads: it refuses keys that others could.
fn private(file: &Path, text: &str) {
    std::fs::write(file, text).unwrap();
    succeeds(Command::new("chmod").arg("600").arg(file));
    if is_root() {
        succeeds(Command::new("chown").arg("postgres").arg(file));
    }
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|id| id.stdout.starts_with(b"0\n"))
}

fn succeeds(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
