//! Values that are only counted as long as they are all the same.

/// The values of a column that are not null.
pub(super) struct Repeats<T> {
    /// How often `list` has its one value, if it has just one.
    count: usize,
    list: Vec<T>,
}

/// What a [`Repeats`] holds.
pub(super) enum Held<'r, T> {
    Nothing,
    /// Nothing but this.
    One(T),
    List(&'r [T]),
}

impl<T> Default for Repeats<T> {
    fn default() -> Self {
        Self { count: 0, list: Vec::new() }
    }
}

impl<T: Copy + PartialEq> Repeats<T> {
    pub(super) fn len(&self) -> usize {
        if self.list.len() > 1 { self.list.len() } else { self.count }
    }

    pub(super) fn held(&self) -> Held<'_, T> {
        match self.list[..] {
            [] => Held::Nothing,
            [value] => Held::One(value),
            ref list => Held::List(list),
        }
    }

    /// Appends `count` times `value`.
    #[inline]
    pub(super) fn push_run(&mut self, value: T, count: usize) {
        if count == 0 {
            return;
        }
        match self.list[..] {
            [] => {
                self.list.push(value);
                self.count = count;
            }
            [same] if same == value => self.count += count,
            _ => {
                self.spread();
                self.list.resize(self.list.len() + count, value);
            }
        }
    }

    /// Appends values that may well be all the same.
    pub(super) fn extend_uniform(&mut self, values: impl ExactSizeIterator<Item = T> + Clone) {
        let Some(first) = values.clone().next() else { return };
        if self.list.len() <= 1 {
            // No early exit, so that the compiler uses vector registers.
            let is_uniform = values.clone().fold(true, |all, value| all & (value == first));
            if is_uniform {
                self.push_run(first, values.len());
                return;
            }
        }
        self.extend(values);
    }

    /// Appends values that differ.
    #[inline]
    pub(super) fn extend(&mut self, values: impl Iterator<Item = T>) {
        self.spread();
        self.list.extend(values);
        if self.list.len() == 1 {
            self.count = 1;
        }
    }

    /// Makes a list of a value that was only counted.
    fn spread(&mut self) {
        if let [value] = self.list[..] {
            self.list.resize(self.count, value);
        }
    }

    pub(super) fn clear(&mut self) {
        self.count = 0;
        self.list.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(repeats: &Repeats<u16>) -> Vec<u16> {
        match repeats.held() {
            Held::Nothing => vec![],
            Held::One(value) => vec![value; repeats.len()],
            Held::List(list) => list.to_vec(),
        }
    }

    #[test]
    fn one_value_is_counted_and_others_listed() {
        let mut repeats = Repeats::default();
        repeats.push_run(7, 0);
        assert!(matches!(repeats.held(), Held::Nothing));
        repeats.push_run(7, 3);
        repeats.extend_uniform([7, 7].into_iter());
        repeats.extend_uniform([].into_iter());
        assert!(matches!(repeats.held(), Held::One(7)));
        assert_eq!(repeats.len(), 5);
        repeats.extend_uniform([7, 8].into_iter());
        repeats.push_run(9, 2);
        assert_eq!(values(&repeats), [7, 7, 7, 7, 7, 7, 8, 9, 9]);
        assert_eq!(repeats.len(), 9);
        repeats.clear();
        assert_eq!(repeats.len(), 0);
        repeats.extend([4].into_iter());
        assert_eq!((values(&repeats), repeats.len()), (vec![4], 1));
        repeats.extend([4].into_iter());
        assert_eq!((values(&repeats), repeats.len()), (vec![4, 4], 2));
    }
}
