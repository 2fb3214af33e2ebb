//! Control totals.

use super::*;

#[test]
fn totals_by_call_and_by_file() {
    let lab = Lab::whole();
    let mut lines = calls(12);
    lines[0][42..66].copy_from_slice(b"202509302359590000000010");
    lines[1][42..66].copy_from_slice(b"202509302359590000000000");
    let name = lab.write(&name(6), &lines.concat());
    lab.load(std::slice::from_ref(&name), |_| {});
    let told = |period, of| -> Vec<String> {
        let totals = totals(&lab.location(), period, of).unwrap();
        let rows = totals.into_iter().map(|row| {
            let key = [row.key.period, row.key.country, row.key.profile, row.key.product_type];
            let key = key.map(Option::unwrap).join(" ");
            let sum = row.sum;
            format!("{key} {} {} {}", sum.calls, sum.seconds, sum.zero_second_calls)
        });
        rows.collect()
    };
    let sum = |lines: &[u8]| {
        let zero = lines.chunks(229).filter(|line| line[58..66] == *b"00000000").count();
        format!("{} {} {zero}", lines.len() / 229, seconds(lines))
    };
    let all: Vec<Vec<u8>> = (0..6).map(|place| content(&lab, &self::name(place))).collect();
    let rest = [all.concat(), lines[2..].concat()].concat();
    assert_eq!(
        told(Period::Month, PeriodOf::Call),
        ["2025-09 GB ABC 79 2 1.0 1".to_owned(), format!("2025-10 GB ABC 79 {}", sum(&rest))]
    );
    assert_eq!(
        told(Period::Day, PeriodOf::File),
        [
            format!("2025-10-01 GB ABC 79 {}", sum(&all[..2].concat())),
            format!("2025-10-02 GB ABC 79 {}", sum(&all[2..4].concat())),
            format!("2025-10-03 GB ABC 79 {}", sum(&all[4..].concat())),
            format!("2025-10-04 GB ABC 79 {}", sum(&lines.concat())),
        ]
    );
    fs::remove_file(lab.path("lake").join(lab.file())).unwrap();
    let missing = totals(&lab.location(), Period::Day, PeriodOf::Call);
    assert!(matches!(missing, Err(AuditError::Lake(LakeError::Read { .. }))), "{missing:?}");
}
