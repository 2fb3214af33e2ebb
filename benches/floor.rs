//! What no converter can do without, in processor seconds: `floor FILE.gz FILE.parquet` inflates
//! the one and compresses the pages of the other, by the same libraries, and prints both.

use std::error::Error;
use std::fs::{self, File};
use std::io;

use flate2::bufread::MultiGzDecoder;
use parquet::file::reader::{FileReader, SerializedFileReader};

const LEVEL: i32 = 1;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [compressed, parquet] = &arguments[..] else {
        return Err("usage: floor FILE.gz FILE.parquet".into());
    };
    let start = processor_seconds()?;
    let mut inflater = MultiGzDecoder::new(io::BufReader::new(File::open(compressed)?));
    io::copy(&mut inflater, &mut io::sink())?;
    let inflate = processor_seconds()? - start;
    let mut compress = 0.0;
    let reader = SerializedFileReader::new(File::open(parquet)?)?;
    let mut zstd = zstd::bulk::Compressor::new(LEVEL)?;
    for row_group in 0..reader.num_row_groups() {
        let row_group = reader.get_row_group(row_group)?;
        for column in 0..row_group.num_columns() {
            let pages = row_group.get_column_page_reader(column)?;
            let pages = pages.collect::<Result<Vec<_>, _>>()?;
            let start = processor_seconds()?;
            for page in pages {
                zstd.compress(page.buffer())?;
            }
            compress += processor_seconds()? - start;
        }
    }
    io::Write::write_all(&mut io::stdout(), format!("{inflate} {compress}\n").as_bytes())?;
    Ok(())
}

/// What this thread has spent on a processor.
fn processor_seconds() -> Result<f64, Box<dyn Error>> {
    let times = fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds: f64 = times.split(' ').next().unwrap_or_default().parse()?;
    Ok(nanoseconds / 1e9)
}
