//! How far a run is: every byte of its inputs, whatever becomes of them.

use cdrlake_load::input_bytes;
use cdrlake_run::Stage;

use super::*;

#[test]
fn a_run_has_come_to_the_end_of_its_inputs() {
    use Kind::*;
    let mut inputs = Inputs::new();
    for (kind, records) in [(Sound, 900), (Cut, 300), (Foreign, 5), (Damaged, 300), (Giant, 20)] {
        inputs.add(kind, records);
    }
    // Of an archive not every byte is read.
    let mut zip = zip::ZipWriter::new(File::create(inputs.directory.path().join("z.zip")).unwrap());
    zip.start_file("a.cdr", zip::write::SimpleFileOptions::default()).unwrap();
    zip.write_all(&Calls::new(77, 50).collect::<Vec<_>>().concat()).unwrap();
    zip.finish().unwrap();
    fs::create_dir_all(inputs.directory.path().join(".out")).unwrap();
    let files = fs::read_dir(inputs.directory.path()).unwrap().map(Result::unwrap);
    let lengths = files.map(|file| file.metadata().unwrap()).filter(fs::Metadata::is_file);
    let bytes: u64 = lengths.map(|metadata| metadata.len()).sum();
    let options = inputs.options("progress.parquet", 2);
    assert_eq!(input_bytes(&options.load), Some(bytes));
    let progress = options.load.progress.clone();
    assert_eq!((progress.bytes(), progress.stage(), progress.source()), (0, Stage::Reading, None));
    let report = convert(&options).unwrap();
    assert_eq!(progress.bytes(), bytes);
    assert_eq!(progress.sources(), report.sources.len() as u64);
    assert_eq!(progress.records(), report.totals.records_written);
    assert!(progress.rejected() >= report.totals.records_rejected);
    assert!(progress.source().unwrap().ends_with("z.zip!a.cdr"));
    assert_eq!(progress.stage(), Stage::Publishing);
    let stream = LoadOptions::new(vec![Input::Stdin]);
    assert_eq!(input_bytes(&stream), None, "nobody knows how long standard input is");
}
