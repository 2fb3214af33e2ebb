//! Sources opened for a caller that reads them itself: nothing is loaded.

use std::io::Read;

use cdrlake_core::{Metadata, TimeZone};
use cdrlake_source::{
    Inboxes, KnownTimeZones, Opening, RejectedLine, Source, SourceError, Visitor, WhyLeftOut, visit,
};

use crate::check_outputs::check_outputs;
use crate::error::LoadError;
use crate::options::LoadOptions;
use crate::publish::Overwrite;

/// One stream of records, or why there is none.
pub struct OpenedSource<'r> {
    /// The path as the user gave it, and `!member`.
    pub name: &'r str,
    /// The file's name without directories, and `!member`: the column of this name.
    pub source_file: &'r str,
    /// What names and settings tell.
    pub metadata: &'r Metadata,
    /// Whose clocks its local times are of, as far as the options have it told.
    pub time_zone: Option<TimeZone>,
    /// Its bytes, unwrapped; what goes wrong inside it shows here.
    pub bytes: Result<&'r mut dyn Read, SourceError>,
}

/// Opens the inputs of `options` and everything in them, as [`convert`](crate::convert) does and in
/// its order, and hands each source to `on_source`, which reads of it what it wants and ends
/// everything by an error.
///
/// An archive that proves damaged only at its end comes once more then, as a source that cannot be
/// read. Inputs to be replayed are passed over.
///
/// # Errors
///
/// What `on_source` gives, and [`LoadError`] if the options go against each other.
pub fn read_sources<E: From<LoadError>>(
    options: &LoadOptions,
    on_source: impl FnMut(OpenedSource<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let written = check_outputs(options, &[], Overwrite::Refuse)?;
    let opening = Opening {
        settings: &options.settings,
        selection: &options.selection,
        limits: options.limits,
        zip_buffer: options.zip_buffer(),
        excluded: &written,
        inboxes: &Inboxes::default(),
        interrupt: &options.interrupt,
        progress: &options.progress,
    };
    let time_zones = KnownTimeZones::new(options.time_zones.clone(), &options.settings.profiles);
    let mut reading = Reading { on_source, time_zones };
    options.inputs.iter().try_for_each(|input| visit(input, opening, &mut reading))
}

struct Reading<'o, F> {
    on_source: F,
    time_zones: KnownTimeZones<'o>,
}

impl<E, F: FnMut(OpenedSource<'_>) -> Result<(), E>> Reading<'_, F> {
    fn hand_on<'r>(
        &mut self,
        source: &'r Source,
        bytes: Result<&'r mut dyn Read, SourceError>,
    ) -> Result<(), E> {
        let Source { name, source_file, metadata, .. } = source;
        let (time_zone, bytes) = match (bytes, self.time_zones.of(metadata)) {
            (Ok(bytes), Ok(time_zone)) => (time_zone, Ok(bytes)),
            (Err(error), _) | (_, Err(error)) => (None, Err(error)),
        };
        (self.on_source)(OpenedSource { name, source_file, metadata, time_zone, bytes })
    }
}

impl<E, F: FnMut(OpenedSource<'_>) -> Result<(), E>> Visitor for Reading<'_, F> {
    type Error = E;

    fn source(&mut self, source: Source, bytes: &mut dyn Read) -> Result<(), E> {
        self.hand_on(&source, Ok(bytes))
    }

    fn replay(
        &mut self,
        _: Source,
        _: blake3::Hash,
        _: &mut dyn Iterator<Item = Result<RejectedLine, SourceError>>,
    ) -> Result<Result<(), SourceError>, E> {
        Ok(Ok(()))
    }

    fn trailing_zeros(&mut self) -> Result<(), E> {
        Ok(())
    }

    fn passed_over(&mut self, _: String) {}

    fn left_out(&mut self, _: String, _: WhyLeftOut) {}

    fn failed(&mut self, source: Source, error: SourceError) -> Result<(), E> {
        self.hand_on(&source, Err(error))
    }

    fn archive_began(&mut self) -> Result<(), E> {
        Ok(())
    }

    fn archive_ended(&mut self, failure: Option<(Source, SourceError)>) -> Result<(), E> {
        failure.map_or(Ok(()), |(source, error)| self.hand_on(&source, Err(error)))
    }
}
