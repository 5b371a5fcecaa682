//! Builds again when a migration is added or edited: they are embedded.

fn main() {
    println!("cargo:rerun-if-changed=../../migrations");
}
