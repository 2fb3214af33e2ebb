//! Files and directories made to last through a loss of power.
//!
//! A sync is a wait for the disk, which serves many at once in hardly more time than one. So the
//! threads here compute nothing, and there may be more of them than processors.

use std::fs::File;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use crate::error::Error;

/// Syncs under way at a time.
const AT_ONCE: usize = 16;

/// Syncs each of `items`, several at a time.
///
/// # Errors
///
/// The first error in the order of the items; all others were tried, too.
pub fn sync_each<T: Sync, E: From<Error> + Send>(
    items: &[T],
    sync: impl Fn(&T) -> Result<(), E> + Sync,
) -> Result<(), E> {
    if let [item] = items {
        return sync(item);
    }
    let next = AtomicUsize::new(0);
    let (next, sync) = (&next, &sync);
    let work = || -> Result<(), (usize, E)> {
        let mut first = Ok(());
        while let at = next.fetch_add(1, Ordering::Relaxed)
            && let Some(item) = items.get(at)
        {
            first = first.and(sync(item).map_err(|error| (at, error)));
        }
        first
    };
    let errors = thread::scope(|scope| {
        let threads = 0..items.len().min(AT_ONCE);
        let spawned = threads.map(|_| thread::Builder::new().spawn_scoped(scope, work));
        let threads: Vec<_> = spawned.flatten().collect();
        // What no thread took, if the system gives none, is done here.
        let here = work();
        let ended = threads.into_iter().map(|thread| {
            let lost = || Err((0, Error::Defect("a sync ended without a result").into()));
            thread.join().unwrap_or_else(|_| lost())
        });
        ended.chain([here]).filter_map(Result::err).min_by_key(|(at, _)| *at)
    });
    errors.map_or(Ok(()), |(_, error)| Err(error))
}

/// Makes renames in a directory last.
///
/// # Errors
///
/// [`Error::Write`], with what the operating system says.
pub fn sync_directory(directory: &Path) -> Result<(), Error> {
    File::open(directory)
        .and_then(|directory| directory.sync_all())
        .map_err(Error::write(directory))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn each_is_synced_once_and_the_first_error_told() {
        for count in [0, 1, 2, 16, 100] {
            let items: Vec<usize> = (0..count).collect();
            let synced = Mutex::new(Vec::new());
            let note = |&item: &usize| {
                synced.lock().unwrap().push(item);
                Ok::<(), Error>(())
            };
            sync_each(&items, note).unwrap();
            let mut synced = synced.into_inner().unwrap();
            synced.sort_unstable();
            assert_eq!(synced, items);
            let fails = |&item: &usize| match item % 10 {
                7 => Err(Error::write(Path::new(&item.to_string()))(std::io::Error::other("no"))),
                _ => Ok(()),
            };
            let failed = sync_each(&items, fails).err().map(|error| error.to_string());
            assert_eq!(failed.is_some(), count > 7, "{count}");
            assert!(failed.is_none_or(|error| error == "cannot write 7"), "{count}");
        }
    }
}
