//! Writes synthetic records: `synthesize RECORDS SEED > FILE`.

use std::io::{self, BufWriter, Write};

use cdrlake_core::synthetic::Calls;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<u64> =
        std::env::args().skip(1).map(|text| text.parse()).collect::<Result<_, _>>()?;
    let [records, seed] = arguments[..] else {
        return Err("usage: synthesize RECORDS SEED > FILE".into());
    };
    let mut output = BufWriter::with_capacity(1 << 20, io::stdout().lock());
    Calls::new(seed, records).try_for_each(|line| output.write_all(&line))?;
    output.flush()?;
    Ok(())
}
