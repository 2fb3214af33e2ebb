//! Where what is known of a source comes from.

/// Where something that is known of a source comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToldBy {
    /// Its own name, or its archive's.
    Name,
    /// What was asked for when it was fetched.
    Order,
    /// What was set for all sources of the run.
    Flag,
    /// What was set for its profile.
    Configuration,
}

impl ToldBy {
    /// Its name in ledgers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Order => "order",
            Self::Flag => "flag",
            Self::Configuration => "configuration",
        }
    }

    /// The first of these that tells something.
    pub(crate) fn first(told: [bool; 4]) -> Option<Self> {
        let all = [Self::Name, Self::Order, Self::Flag, Self::Configuration];
        all.into_iter().zip(told).find_map(|(by, is_told)| is_told.then_some(by))
    }
}

/// Where each of a source's settings comes from; none of what is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MetadataToldBy {
    /// The country.
    pub country: Option<ToldBy>,
    /// The profile.
    pub profile: Option<ToldBy>,
    /// The product identifier.
    pub product_identifier: Option<ToldBy>,
}
