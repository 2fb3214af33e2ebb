//! What rows tell of their sources.

use super::*;

#[test]
fn carriers_that_contradict_the_profile() {
    let lab = Lab::whole();
    let mut lines = calls(9);
    lines[3][224..227].copy_from_slice(b"XYZ");
    lines[4][224..227].copy_from_slice(b"079");
    lines[5][224..227].copy_from_slice(b"   ");
    lines[6][224..227].copy_from_slice(b"abc");
    let name = lab.write(&name(6), &lines.concat());
    lab.load(std::slice::from_ref(&name), |_| {});
    assert_eq!(
        lab.told(),
        [format!("carrier_mismatch: 2 records have another carrier (XYZ, ddd): {name}")]
    );
}

#[test]
fn calls_that_end_after_their_file() {
    let lab = Lab::new();
    let mut lines = calls(9);
    for line in &mut lines {
        line[58..66].copy_from_slice(b"00000010");
    }
    lines[0][42..66].copy_from_slice(b"202510010859590000000010");
    lines[1][42..66].copy_from_slice(b"202510010859590000000011");
    lines[2][42..66].copy_from_slice(b"202510010959590000000020");
    lab.write(&name(0), &lines.concat());
    lab.load(&Lab::names(), |_| {});
    assert_eq!(
        lab.told(),
        [format!(
            "calls_after_file: 2 calls end after the file's own time, by up to 3601.0 s (is it of \
             another time zone?): {}",
            name(0)
        )]
    );
}
