//! The bytes of a file: reading, seeking, searching, and the count of bytes that are read twice.

use std::io::{self, ErrorKind, Read, Seek, SeekFrom};

use memchr::memmem::Finder;

const BUFFER_BYTES: usize = 128 << 10;

/// A buffered file.
#[derive(Debug)]
pub(super) struct RawInput<R> {
    source: R,
    buffer: Vec<u8>,
    /// Unread bytes of the buffer.
    start: usize,
    end: usize,
    /// Offset in the file of the first unread byte.
    offset: u64,
    /// The largest offset so far.
    furthest: u64,
    /// Bytes that may still be read twice, without those that follow from `furthest`.
    credit: u64,
    reread: u64,
}

impl<R: Read + Seek> RawInput<R> {
    /// Reads `source`, which is at its beginning. `credit` bytes may be read twice.
    pub(super) fn new(source: R, credit: u64) -> Self {
        let buffer = vec![0; BUFFER_BYTES];
        Self { source, buffer, start: 0, end: 0, offset: 0, furthest: 0, credit, reread: 0 }
    }

    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// The buffered bytes.
    pub(super) fn unread(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// The buffered bytes: at least `count`, unless the file ends before. `count` is at most the size of the buffer.
    pub(super) fn fill(&mut self, count: usize) -> io::Result<&[u8]> {
        if self.end - self.start < count && self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        while self.end - self.start < count {
            match self.source.read(&mut self.buffer[self.end..]) {
                Ok(0) => break,
                Ok(read) => self.end += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.unread())
    }

    pub(super) fn consume(&mut self, count: usize) {
        let count = count.min(self.end - self.start);
        self.start += count;
        self.offset += count as u64;
        self.furthest = self.furthest.max(self.offset);
    }

    /// Consumes bytes beyond the buffer too. Returns whether the file has them.
    pub(super) fn skip(&mut self, mut count: u64) -> io::Result<bool> {
        while count > 0 {
            let piece = self.fill(1)?.len();
            if piece == 0 {
                return Ok(false);
            }
            let step = usize::try_from(count).unwrap_or(piece).min(piece);
            self.consume(step);
            count -= step as u64;
        }
        Ok(true)
    }

    /// Charges bytes that were read for nothing. Returns whether that is still within bounds.
    pub(super) fn charge(&mut self, bytes: u64) -> bool {
        self.reread = self.reread.saturating_add(bytes);
        self.reread <= self.credit.saturating_add(self.furthest.saturating_mul(4))
    }

    /// Returns to an offset, if the bytes since then may be read twice. Returns whether that was done.
    pub(super) fn rewind(&mut self, offset: u64) -> io::Result<bool> {
        let distance = self.offset.saturating_sub(offset);
        if distance > 0 && !self.charge(distance) {
            self.reread -= distance;
            return Ok(false);
        }
        self.seek(offset)?;
        Ok(true)
    }

    pub(super) fn seek(&mut self, offset: u64) -> io::Result<()> {
        let back = self.offset.checked_sub(offset).and_then(|back| usize::try_from(back).ok());
        if let Some(back) = back.filter(|back| *back <= self.start) {
            self.start -= back;
        } else {
            self.source.seek(SeekFrom::Start(offset))?;
            (self.start, self.end) = (0, 0);
        }
        self.offset = offset;
        Ok(())
    }

    /// Advances to the next occurrence of these bytes. Returns whether there is one.
    pub(super) fn find(&mut self, bytes: &Finder<'_>) -> io::Result<bool> {
        let length = bytes.needle().len();
        loop {
            let unread = self.fill(length)?;
            if let Some(at) = bytes.find(unread) {
                self.consume(at);
                return Ok(true);
            }
            if unread.len() < length {
                let rest = unread.len();
                self.consume(rest);
                return Ok(false);
            }
            let passed = unread.len() + 1 - length;
            self.consume(passed);
        }
    }
}
