//! nginx as a plain reverse proxy: a worker per core, connections to the upstream kept, no access log.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use testkit::free_address;

use crate::upstream::{Listener, listener};

/// A master and its workers.
pub struct Nginx {
    pub address: SocketAddr,
    home: PathBuf,
    master: Listener,
}

impl Drop for Nginx {
    /// Tells the master to end: killed, it would leave its workers behind.
    fn drop(&mut self) {
        let told = command(&self.home).args(["-s", "stop"]).status();
        let ended =
            told.is_ok_and(|status| status.success()) && self.master.ends_within(Duration::from_secs(5));
        if !ended {
            crate::report::say("nginx did not end when told to: its workers may go on");
        }
    }
}

/// Starts it in front of `upstream`, with its files in `folder`.
pub async fn start(folder: &Path, upstream: SocketAddr) -> Nginx {
    let address = free_address();
    let home = folder.join("nginx");
    std::fs::create_dir_all(&home).unwrap();
    let path = |name: &str| home.join(name).display().to_string();
    let configuration = format!(
        "daemon off;\nworker_processes auto;\npid {pid};\nerror_log stderr warn;\n\
         events {{ worker_connections 1024; }}\n\
         http {{\n  access_log off;\n  keepalive_requests 1000000000;\n\
         {temporary}\
         \x20 upstream flowforge {{ server {upstream}; keepalive 128; keepalive_requests 1000000000; }}\n\
         \x20 server {{\n    listen {address};\n    location / {{\n      proxy_pass http://flowforge;\n\
         \x20     proxy_http_version 1.1;\n      proxy_set_header Connection \"\";\n\
         \x20     proxy_set_header Host $host;\n    }}\n  }}\n}}\n",
        pid = path("pid"),
        temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("  {kind}_temp_path {};\n", path(kind)))
            .concat(),
    );
    std::fs::write(home.join("nginx.conf"), configuration).unwrap();
    let master = listener(command(&home).into(), address).await;
    Nginx { address, home, master }
}

/// The program, with the configuration in `home`.
fn command(home: &Path) -> Command {
    let mut command = Command::new("nginx");
    command.args(["-e", "stderr", "-p"]).arg(home).arg("-c").arg(home.join("nginx.conf"));
    // A Debian user's PATH lacks the folder it is in.
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&folders).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    command.env("PATH", std::env::join_paths(folders).unwrap());
    command
}
