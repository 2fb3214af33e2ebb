//! Pages to a column chunk: compressed, written one behind the other, indexed.

use bytes::Bytes;
use parquet::basic::{BoundaryOrder, Compression as Codec, Encoding, PageType};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::Result;
use parquet::file::metadata::{
    ColumnChunkMetaData, ColumnIndexBuilder, OffsetIndexBuilder, PageEncodingStats,
};
use parquet::file::writer::SerializedRowGroupWriter;
use parquet::schema::types::ColumnDescPtr;

use super::compression::{Compressor, Search};
use super::page_header::PageHeader;
use super::statistics::{self, Bound, Bounds};

/// An encoded column, ready to be appended to a row group of any file.
pub(crate) struct ColumnChunk {
    pages: Bytes,
    close: ColumnCloseResult,
}

impl ColumnChunk {
    /// The chunk of another column that holds the same.
    pub(super) fn of_twin(&self, column: &ColumnDescPtr) -> Result<Self> {
        let mut close = self.close.clone();
        let metadata = &self.close.metadata;
        let mut builder = ColumnChunkMetaData::builder(column.clone())
            .set_compression_codec(metadata.compression_codec())
            .set_encodings(metadata.encodings().collect())
            .set_page_encoding_stats(metadata.page_encoding_stats().cloned().unwrap_or_default())
            .set_num_values(metadata.num_values())
            .set_total_compressed_size(metadata.compressed_size())
            .set_total_uncompressed_size(metadata.uncompressed_size())
            .set_dictionary_page_offset(metadata.dictionary_page_offset())
            .set_data_page_offset(metadata.data_page_offset());
        if let Some(statistics) = metadata.statistics() {
            builder = builder.set_statistics(statistics.clone());
        }
        close.metadata = builder.build()?;
        Ok(Self { pages: self.pages.clone(), close })
    }

    /// A chunk of so many rows whose pages come later, elsewhere in the file.
    pub(crate) fn of_rows(column: &ColumnDescPtr, rows: u64, codec: Codec) -> Result<Self> {
        let metadata = ColumnChunkMetaData::builder(column.clone())
            .set_compression(codec)
            .set_num_values(rows as i64)
            .build()?;
        let close = ColumnCloseResult {
            bytes_written: 0,
            rows_written: rows,
            metadata,
            bloom_filter: None,
            column_index: None,
            offset_index: None,
        };
        Ok(Self { pages: Bytes::new(), close })
    }

    pub(super) fn len(&self) -> usize {
        self.pages.len()
    }

    /// Its pages, and what is to be told of them.
    pub(crate) fn into_parts(self) -> (Bytes, ColumnCloseResult) {
        (self.pages, self.close)
    }

    pub(crate) fn append_to_row_group<W: std::io::Write + Send>(
        self,
        writer: &mut SerializedRowGroupWriter<'_, W>,
    ) -> Result<()> {
        writer.append_column(&self.pages, self.close)
    }
}

/// Rows of a page of data, and the values of those that are not null.
pub(super) struct DataPage<'p> {
    /// Levels, then values.
    pub(super) bytes: &'p [u8],
    pub(super) encoding: Encoding,
    pub(super) rows: usize,
    pub(super) nulls: usize,
    pub(super) bounds: Bounds,
}

/// A column chunk under construction.
pub(super) struct ChunkWriter<'c> {
    column: ColumnDescPtr,
    compressor: &'c mut Compressor,
    /// Where the chunk stands, as far as it is known.
    start: u64,
    /// As the first page of data that was long enough to tell has it.
    search: Option<Search>,
    output: Vec<u8>,
    encodings: Vec<Encoding>,
    pages: Vec<PageEncodingStats>,
    dictionary_offset: Option<i64>,
    data_offset: Option<i64>,
    uncompressed: usize,
    rows: usize,
    nulls: usize,
    bounds: Bounds,
    order: Order,
    column_index: ColumnIndexBuilder,
    offset_index: OffsetIndexBuilder,
}

impl<'c> ChunkWriter<'c> {
    pub(super) fn new(column: &ColumnDescPtr, compressor: &'c mut Compressor) -> Self {
        Self {
            column: column.clone(),
            compressor,
            start: 0,
            search: None,
            output: Vec::new(),
            encodings: vec![Encoding::RLE],
            pages: Vec::new(),
            dictionary_offset: None,
            data_offset: None,
            uncompressed: 0,
            rows: 0,
            nulls: 0,
            bounds: None,
            order: Order::default(),
            column_index: ColumnIndexBuilder::new(column.physical_type()),
            offset_index: OffsetIndexBuilder::new(),
        }
    }

    /// The chunk will stand at this place of its file, and nowhere else.
    pub(super) fn at(self, start: u64) -> Self {
        Self { start, ..self }
    }

    /// Writes the dictionary, before all pages of data.
    pub(super) fn dictionary(&mut self, bytes: &[u8], values: usize) -> Result<()> {
        debug_assert!(self.data_offset.is_none());
        let compressed = self.compressor.compress(bytes, Search::Matches)?;
        let header = PageHeader {
            page_type: PageType::DICTIONARY_PAGE,
            encoding: Encoding::PLAIN,
            values,
            uncompressed: bytes.len(),
        };
        let (offset, _) = self.write(header, &compressed)?;
        self.dictionary_offset = Some(offset);
        Ok(())
    }

    pub(super) fn data(&mut self, page: DataPage<'_>) -> Result<()> {
        let DataPage { bytes, encoding, rows, nulls, bounds } = page;
        if self.search.is_none() {
            self.search = self.compressor.try_out(bytes)?;
        }
        let search = self.search.unwrap_or(Search::Matches);
        let compressed = self.compressor.compress(bytes, search)?;
        let (page_type, uncompressed) = (PageType::DATA_PAGE, bytes.len());
        let header = PageHeader { page_type, encoding, values: rows, uncompressed };
        let (offset, compressed) = self.write(header, &compressed)?;
        self.data_offset.get_or_insert(offset);
        self.offset_index.append_offset_and_size(offset, compressed as i32);
        self.offset_index.append_row_count(rows as i64);
        let (min, max) = match &bounds {
            Some((min, max)) => (min.to_bytes(), max.to_bytes()),
            None => Default::default(),
        };
        self.column_index.append(bounds.is_none(), min, max, nulls as i64);
        self.order.append(&bounds);
        self.rows += rows;
        self.nulls += nulls;
        self.bounds = statistics::union(self.bounds.take(), bounds);
        Ok(())
    }

    /// Returns where the page stands, and its bytes with the header.
    fn write(&mut self, header: PageHeader, compressed: &[u8]) -> Result<(i64, usize)> {
        let PageHeader { page_type, encoding, uncompressed, .. } = header;
        let offset = self.output.len();
        header.write(compressed, &mut self.output)?;
        self.uncompressed += self.output.len() - offset + uncompressed;
        self.output.extend_from_slice(compressed);
        if !self.encodings.contains(&encoding) {
            self.encodings.push(encoding);
        }
        match self.pages.last_mut() {
            Some(last) if last.page_type == page_type && last.encoding == encoding => {
                last.count += 1;
            }
            _ => self.pages.push(PageEncodingStats { page_type, encoding, count: 1 }),
        }
        Ok(((self.start + offset as u64) as i64, self.output.len() - offset))
    }

    pub(super) fn finish(mut self) -> Result<ColumnChunk> {
        let physical_type = self.column.physical_type();
        let statistics = statistics::of_chunk(physical_type, &self.bounds, self.nulls as u64)?;
        let pages = Bytes::from(self.output);
        let metadata = ColumnChunkMetaData::builder(self.column)
            .set_compression(self.compressor.codec())
            .set_encodings(self.encodings)
            .set_page_encoding_stats(self.pages)
            .set_num_values(self.rows as i64)
            .set_total_compressed_size(pages.len() as i64)
            .set_total_uncompressed_size(self.uncompressed as i64)
            .set_dictionary_page_offset(self.dictionary_offset)
            .set_data_page_offset(self.data_offset.unwrap_or_default())
            .set_statistics(statistics)
            .build()?;
        self.column_index.set_boundary_order(self.order.boundary_order());
        let close = ColumnCloseResult {
            bytes_written: pages.len() as u64,
            rows_written: self.rows as u64,
            metadata,
            bloom_filter: None,
            column_index: Some(self.column_index.build()?),
            offset_index: Some(self.offset_index.build()),
        };
        Ok(ColumnChunk { pages, close })
    }
}

/// How the bounds of pages follow each other; pages of nulls alone do not count.
#[derive(Default)]
struct Order {
    last: Option<(Bound, Bound)>,
    falls: bool,
    rises: bool,
}

impl Order {
    fn append(&mut self, bounds: &Bounds) {
        if let Some((min, max)) = bounds {
            if let Some((last_min, last_max)) = &self.last {
                self.rises |= min > last_min || max > last_max;
                self.falls |= min < last_min || max < last_max;
            }
            self.last.clone_from(bounds);
        }
    }

    fn boundary_order(&self) -> BoundaryOrder {
        match (self.falls, self.rises) {
            (false, _) => BoundaryOrder::ASCENDING,
            (true, false) => BoundaryOrder::DESCENDING,
            (true, true) => BoundaryOrder::UNORDERED,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_ordered_by_both_bounds() {
        let order = |pages: &[Option<(i64, i64)>]| {
            let mut order = Order::default();
            for page in pages {
                order.append(&page.map(|(min, max)| (Bound::Int64(min), Bound::Int64(max))));
            }
            order.boundary_order()
        };
        assert_eq!(order(&[]), BoundaryOrder::ASCENDING);
        assert_eq!(order(&[None, Some((1, 2)), None, Some((1, 3))]), BoundaryOrder::ASCENDING);
        assert_eq!(order(&[Some((2, 3)), None, Some((1, 3))]), BoundaryOrder::DESCENDING);
        assert_eq!(order(&[Some((1, 3)), Some((2, 2))]), BoundaryOrder::UNORDERED);
        assert_eq!(order(&[Some((1, 1)), Some((2, 2)), Some((1, 2))]), BoundaryOrder::UNORDERED);
    }
}
