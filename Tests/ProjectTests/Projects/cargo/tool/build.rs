use std::{env, fs, path::Path};

fn main() {
    let place = env::var("OUT_DIR").unwrap();
    fs::write(Path::new(&place).join("made.rs"), "pub const GREETING: &str = \"made by the build\";\n").unwrap();
    println!("cargo:rerun-if-changed=build.rs");
}
