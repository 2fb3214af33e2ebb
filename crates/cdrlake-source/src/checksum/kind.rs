//! The kinds of checksums, and files held against them.

use std::io::{self, ErrorKind, Read};

use md5::Md5;
use sha1::Sha1;
use sha2::digest::Digest;
use sha2::{Sha256, Sha512};

/// How a checksum is reckoned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Md5,
    Sha1,
    Sha256,
    Sha512,
    Crc32,
}

/// What the bytes of a file must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Expected {
    pub(super) kind: Kind,
    /// In lower case.
    pub(super) hexadecimal: String,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Md5, Self::Sha1, Self::Sha256, Self::Sha512, Self::Crc32];

    /// What people call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Md5 => "MD5",
            Self::Sha1 => "SHA-1",
            Self::Sha256 => "SHA-256",
            Self::Sha512 => "SHA-512",
            Self::Crc32 => "CRC-32",
        }
    }

    /// Digits of a checksum.
    const fn digits(self) -> usize {
        match self {
            Self::Md5 => 32,
            Self::Sha1 => 40,
            Self::Sha256 => 64,
            Self::Sha512 => 128,
            Self::Crc32 => 8,
        }
    }

    /// The kind of a text of hexadecimal digits, which its length tells.
    fn of(text: &str) -> Option<Self> {
        let is_hexadecimal = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        Self::ALL.into_iter().find(|kind| is_hexadecimal && text.len() == kind.digits())
    }

    fn hasher(self) -> Hasher {
        match self {
            Self::Md5 => Hasher::Md5(Md5::new()),
            Self::Sha1 => Hasher::Sha1(Sha1::new()),
            Self::Sha256 => Hasher::Sha256(Sha256::new()),
            Self::Sha512 => Hasher::Sha512(Sha512::new()),
            Self::Crc32 => Hasher::Crc32(crc32fast::Hasher::new()),
        }
    }
}

impl Expected {
    /// A checksum in hexadecimal digits, in any case.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let kind = Kind::of(text)?;
        Some(Self { kind, hexadecimal: text.to_ascii_lowercase() })
    }
}

enum Hasher {
    Md5(Md5),
    Sha1(Sha1),
    Sha256(Sha256),
    Sha512(Sha512),
    Crc32(crc32fast::Hasher),
}

impl Hasher {
    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Md5(hasher) => hasher.update(bytes),
            Self::Sha1(hasher) => hasher.update(bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
            Self::Crc32(hasher) => hasher.update(bytes),
        }
    }

    fn finish(self) -> String {
        let bytes = match self {
            Self::Md5(hasher) => hasher.finalize().to_vec(),
            Self::Sha1(hasher) => hasher.finalize().to_vec(),
            Self::Sha256(hasher) => hasher.finalize().to_vec(),
            Self::Sha512(hasher) => hasher.finalize().to_vec(),
            Self::Crc32(hasher) => hasher.finalize().to_be_bytes().to_vec(),
        };
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Reads `bytes` to their end, and gives the first kind of checksum that they have not, if any.
pub(crate) fn check(
    bytes: &mut dyn Read,
    expected: &[Expected],
) -> io::Result<Option<&'static str>> {
    let mut hashers: Vec<Hasher> = expected.iter().map(|it| it.kind.hasher()).collect();
    let mut buffer = vec![0; 64 << 10];
    loop {
        let len = match bytes.read(&mut buffer) {
            Ok(0) => break,
            Ok(len) => len,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        hashers.iter_mut().for_each(|hasher| hasher.update(&buffer[..len]));
    }
    let found = hashers.into_iter().map(Hasher::finish);
    let wrong = found.zip(expected).find(|(found, expected)| *found != expected.hexadecimal);
    Ok(wrong.map(|(_, expected)| expected.kind.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of `abc`, as the documents of these algorithms give them, and the carrier's way to write them.
    #[test]
    fn checksums_of_the_documents() {
        for text in [
            "900150983cd24fb0d6963f7d28e17f72",
            "A9993E364706816ABA3E25717850C26C9CD0D89D",
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a\
             2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
            "352441C2",
        ] {
            let expected = [Expected::parse(text).unwrap()];
            assert_eq!(check(&mut &b"abc"[..], &expected).unwrap(), None, "{text}");
            let name = expected[0].kind.name();
            assert_eq!(check(&mut &b"abd"[..], &expected).unwrap(), Some(name), "{text}");
        }
        for text in ["", "900150983cd24fb0d6963f7d28e17f7", "g00150983cd24fb0d6963f7d28e17f72"] {
            assert_eq!(Expected::parse(text), None, "{text}");
        }
    }
}
