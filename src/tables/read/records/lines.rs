//! Line numbers as a text editor has them.

/// Counts lines as a text editor does: `\n`, `\r\n` and a lone `\r` each end one.
#[derive(Default)]
pub(super) struct Lines {
    /// How many are over.
    pub(super) over: u64,
    after_return: bool,
    started: Option<u64>,
}

impl Lines {
    pub(super) fn start_record(&mut self) {
        self.started = None;
    }

    /// The line of the record's first byte that is no line break, once it has been passed.
    pub(super) fn started(&self) -> Option<u64> {
        self.started
    }

    pub(super) fn pass(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        if self.started.is_none() {
            let is_text = |byte: &u8| !matches!(byte, b'\n' | b'\r');
            let text = bytes.iter().position(is_text).unwrap_or(bytes.len());
            self.count(&bytes[..text]);
            rest = &bytes[text..];
            self.started = (!rest.is_empty()).then_some(self.over + 1);
        }
        self.count(rest);
    }

    fn count(&mut self, bytes: &[u8]) {
        for at in memchr::memchr2_iter(b'\n', b'\r', bytes) {
            let after_return = if at == 0 { self.after_return } else { bytes[at - 1] == b'\r' };
            let halfway = after_return && bytes[at] == b'\n';
            self.over += u64::from(!halfway);
        }
        if let Some(&last) = bytes.last() {
            self.after_return = last == b'\r';
        }
    }
}
