//! File systems on which a lock may not be what it seems.

use std::path::Path;

use crate::error::LakeError;

/// Whether a lake may be on a network file system, where two hosts may both believe that they hold
/// its lock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NetworkFileSystem {
    /// Refuse it.
    #[default]
    Refuse,
    /// The caller sees to it that there is one writer.
    Allow,
}

/// Magic numbers of `statfs(2)`.
const NETWORK: [(u64, &str); 11] = [
    (0x6969, "NFS"),
    (0x517B, "SMB"),
    (0xFF53_4D42, "CIFS"),
    (0xFE53_4D42, "SMB2"),
    (0x5346_414F, "AFS"),
    (0x7375_7245, "Coda"),
    (0x00C3_6400, "Ceph"),
    (0x0BD0_0BD0, "Lustre"),
    (0x4750_4653, "GPFS"),
    (0x0102_1997, "9P"),
    (0x6573_5546, "FUSE"),
];

impl NetworkFileSystem {
    /// Refuses `directory` if it is on a network file system and that is not allowed.
    pub(crate) fn check(self, directory: &Path) -> Result<(), LakeError> {
        if self == Self::Allow {
            return Ok(());
        }
        let found = rustix::fs::statfs(directory)
            .map_err(|error| LakeError::Read { path: directory.into(), error: error.into() })?;
        match kind(found.f_type as u64 & 0xFFFF_FFFF) {
            None => Ok(()),
            Some(kind) => Err(LakeError::NetworkFileSystem { path: directory.into(), kind }),
        }
    }
}

/// What network file system has this magic number, if any.
fn kind(magic: u64) -> Option<&'static str> {
    NETWORK.iter().find(|(number, _)| *number == magic).map(|&(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn network_file_systems_are_known_by_their_numbers() {
        assert_eq!(kind(0x6969), Some("NFS"));
        assert_eq!(kind(0xFF53_4D42), Some("CIFS"));
        // ext4 and tmpfs.
        assert_eq!((kind(0xEF53), kind(0x0102_1994)), (None, None));
        let here = tempfile::tempdir().unwrap();
        NetworkFileSystem::Refuse.check(here.path()).unwrap();
    }
}
