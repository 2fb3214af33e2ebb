//! Several products and profiles in one inbox and one lake.

use std::process::Output;

use crate::{DAYS, RECORDS, Setup, UNRATED, status};

fn sync(setup: &Setup, profile: &str, products: &[&str]) -> Output {
    let mut command = setup.command(profile);
    for product in products {
        command.args(["--product", product]);
    }
    let output = command.output().unwrap();
    assert_eq!(status(&output), 0, "{output:?}");
    output
}

/// Whose days were asked for since the first `seen` requests: profile, offering, and how many.
fn asked(setup: &Setup, seen: usize) -> Vec<(String, String, u64)> {
    let mut asked: Vec<(String, String, u64)> = Vec::new();
    for (request, _) in &setup.sandbox.requests_for(UNRATED)[seen..] {
        let [profile, offering] = ["serviceProfile", "productOffering"]
            .map(|name| request.parameter(name).unwrap().to_owned());
        match asked.iter_mut().find(|(p, o, _)| (p, o) == (&profile, &offering)) {
            Some((_, _, days)) => *days += 1,
            None => asked.push((profile, offering, 1)),
        }
    }
    asked.sort();
    asked
}

fn expect(asked: &[(String, String, u64)], expected: &[(&str, &str, u64)]) {
    let asked: Vec<_> = asked.iter().map(|(p, o, days)| (p.as_str(), o.as_str(), *days)).collect();
    assert_eq!(asked, expected);
}

#[test]
fn each_has_its_own_days() {
    let setup = Setup::new();
    // A product given twice, by two of its names, is asked for once.
    sync(&setup, "ABC", &["SIP Trunking", "12", "sip trunking", "10"]);
    let first = [("ABC", "IN For Resellers", DAYS), ("ABC", "SIP Trunking", DAYS)];
    expect(&asked(&setup, 0), &first);
    // Both products' files have the same names, so those of one stand beside those of the other.
    assert_eq!(setup.rows(), 2 * DAYS * RECORDS);
    let seen = setup.requests();
    sync(&setup, "X1", &["15"]);
    expect(&asked(&setup, seen), &[("X1", "Wholesale SIP", DAYS)]);
    assert_eq!(setup.rows(), 3 * DAYS * RECORDS);
    // From now on the lake tells the products of each profile.
    let seen = setup.requests();
    sync(&setup, "ABC", &[]);
    expect(&asked(&setup, seen), &[("ABC", "IN For Resellers", 2), ("ABC", "SIP Trunking", 2)]);
    let seen = setup.requests();
    sync(&setup, "X1", &[]);
    expect(&asked(&setup, seen), &[("X1", "Wholesale SIP", 2)]);
    let seen = setup.requests();
    sync(&setup, "ABC", &["Voice Line", "12"]);
    expect(&asked(&setup, seen), &[("ABC", "IN For Resellers", 2), ("ABC", "Voice Line", DAYS)]);
    assert_eq!(setup.rows(), 4 * DAYS * RECORDS);
    // A profile that the lake has not heard of has to say which products.
    let output = setup.command("NEW").output().unwrap();
    assert_eq!(status(&output), 2, "{output:?}");
}
