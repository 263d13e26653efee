//! Choices made by bytes, where what is wanted is no file but a value.

/// Bytes to choose by; when they are over, all choices are the first.
pub struct Choices<'a>(pub &'a [u8]);

impl Choices<'_> {
    pub fn byte(&mut self) -> u8 {
        match self.0.split_first() {
            Some((&first, rest)) => {
                self.0 = rest;
                first
            }
            None => 0,
        }
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end
    }

    pub fn one_of<T: Clone>(&mut self, of: &[T]) -> T {
        of[self.below(of.len())].clone()
    }

    /// Any `f64`, often a plain one.
    pub fn number(&mut self) -> f64 {
        let plain = f64::from(self.byte() as i8);
        match self.below(8) {
            0 => f64::from_bits(u64::from_le_bytes(std::array::from_fn(|_| self.byte()))),
            1 => plain * 1e30,
            2 => plain * 1e-40,
            3 => plain / 8.0 + 1e9,
            _ => plain / 8.0,
        }
    }

    /// A short text of any signs.
    pub fn text(&mut self) -> String {
        let length = self.below(6);
        let bytes: Vec<u8> = (0..length).map(|_| self.byte()).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    }
}
