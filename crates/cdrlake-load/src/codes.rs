//! Counts by code, in little room: there may be a million of them, mostly of no code or one.

use std::ops::Index;

use serde::{Serialize, Serializer};

/// How often each code occurred; a map in the order of the codes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Codes(Box<[(&'static str, u64)]>);

impl Codes {
    /// How often a code occurred, if it did.
    #[must_use]
    pub fn get(&self, code: &str) -> Option<&u64> {
        let at = self.0.binary_search_by_key(&code, |(code, _)| code).ok()?;
        self.0.get(at).map(|(_, count)| count)
    }

    /// Whether a code occurred.
    #[must_use]
    pub fn contains_key(&self, code: &str) -> bool {
        self.get(code).is_some()
    }

    /// Whether no code occurred.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The codes that occurred and how often, in the order of the codes.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.0.iter().copied()
    }

    /// The codes that occurred, in order.
    pub fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.iter().map(|(code, _)| code)
    }

    pub(crate) fn add(&mut self, other: &Self) {
        other.iter().for_each(|(code, count)| *self.entry(code) += count);
    }

    /// Says how often a code occurred.
    pub(crate) fn set(&mut self, code: &'static str, count: u64) {
        *self.entry(code) = count;
    }

    fn entry(&mut self, code: &'static str) -> &mut u64 {
        let at = match self.0.binary_search_by_key(&code, |(code, _)| code) {
            Ok(at) => at,
            Err(at) => {
                let mut codes = std::mem::take(&mut self.0).into_vec();
                codes.insert(at, (code, 0));
                self.0 = codes.into_boxed_slice();
                at
            }
        };
        &mut self.0[at].1
    }
}

impl FromIterator<(&'static str, u64)> for Codes {
    fn from_iter<I: IntoIterator<Item = (&'static str, u64)>>(codes: I) -> Self {
        let mut sums = Self::default();
        codes.into_iter().for_each(|(code, count)| *sums.entry(code) += count);
        sums
    }
}

/// How often a code occurred.
///
/// # Panics
///
/// If it did not.
impl Index<&str> for Codes {
    type Output = u64;

    #[allow(clippy::expect_used, reason = "as that of maps")]
    fn index(&self, code: &str) -> &u64 {
        self.get(code).expect("the code occurred")
    }
}

impl Serialize for Codes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_a_map() {
        let mut codes: Codes = [("b", 2), ("a", 1), ("b", 3)].into_iter().collect();
        codes.add(&[("c", 1), ("a", 1)].into_iter().collect());
        assert_eq!(codes.iter().collect::<Vec<_>>(), [("a", 2), ("b", 5), ("c", 1)]);
        codes.set("b", 1);
        assert_eq!((codes["b"], codes.get("d")), (1, None));
        assert_eq!(serde_json::to_string(&codes).unwrap(), r#"{"a":2,"b":1,"c":1}"#);
    }
}
