//! Parquet files of few rows, by the ordinary writer: rejected lines, tables about sources.

use std::fs::File;
use std::path::{Path, PathBuf};

use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use tempfile::NamedTempFile;

use crate::error::Error;
use crate::temporary::StagedFile;

/// A Parquet file under construction whose speed nobody minds: Zstandard, a row group a batch.
pub struct SmallParquet {
    path: PathBuf,
    writer: ArrowWriter<NamedTempFile>,
    rows: u64,
}

impl SmallParquet {
    /// Begins a file in `temporary`, which is to be called `path`, and tells `metadata` as keys and
    /// values.
    ///
    /// # Errors
    ///
    /// [`Error::Parquet`], for a schema that Parquet does not have.
    pub fn create(
        temporary: NamedTempFile,
        path: &Path,
        schema: SchemaRef,
        metadata: Option<Vec<KeyValue>>,
    ) -> Result<Self, Error> {
        let properties = WriterProperties::builder()
            .set_compression(parquet::basic::Compression::ZSTD(Default::default()))
            .set_key_value_metadata(metadata)
            .build();
        let options =
            ArrowWriterOptions::new().with_properties(properties).with_skip_arrow_metadata(true);
        let writer = ArrowWriter::try_new_with_options(temporary, schema, options)
            .map_err(Error::parquet(path))?;
        Ok(Self { path: path.to_owned(), writer, rows: 0 })
    }

    /// Writes the rows of a batch as a row group, which keeps memory low.
    ///
    /// # Errors
    ///
    /// [`Error::Parquet`], if it cannot be written.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<(), Error> {
        self.rows += batch.num_rows() as u64;
        self.writer.write(batch).map_err(Error::parquet(&self.path))?;
        self.writer.flush().map_err(Error::parquet(&self.path))
    }

    /// Writes the footer and syncs the file.
    ///
    /// # Errors
    ///
    /// [`Error::Parquet`] or [`Error::Write`], if that fails.
    pub fn finish(self) -> Result<StagedFile, Error> {
        let Self { path, writer, rows } = self;
        let file = writer.into_inner().map_err(Error::parquet(&path))?;
        let bytes = file.as_file().metadata().map_err(Error::write(&path))?.len();
        let hash = hash_of(file.path()).map_err(Error::write(&path))?;
        let staged = StagedFile { file, path, rows, bytes, hash, statistics: Vec::new() };
        staged.sync()?;
        Ok(staged)
    }
}

/// BLAKE3 of a file that was just written.
fn hash_of(path: &Path) -> std::io::Result<blake3::Hash> {
    let mut hasher = blake3::Hasher::new();
    std::io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok(hasher.finalize())
}
