use std::process::Command;

#[test]
fn the_tool_answers() {
    let output = Command::new(env!("CARGO_BIN_EXE_tool")).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "4 made by the build\n");
}
