//! The members of a file, decoded one after the other into a window.

use std::collections::VecDeque;
use std::io::{self, Read, Seek};

use memchr::memmem::Finder;

use super::ReadLimits;
use super::codec::{self, Codec, DICTIONARY};
use super::error::{ArchiveError, SkipReason};
use super::input::RawInput;
use super::position::RecordPosition;

const WINDOW_BYTES: usize = 128 << 10;
/// The least room for a call of a codec.
const ROOM_BYTES: usize = 32 << 10;
/// Bytes that show whether a member begins with a record. The header of an ARC record fits, unless its URL is long.
const PROBE_BYTES: usize = 4 << 10;
/// Bytes that show how a file is compressed.
const MAGIC_BYTES: usize = 8;

/// What keeps an unpacker from going on.
pub(super) enum UnpackError {
    Io(io::Error),
    Damage(SkipReason),
}

impl From<io::Error> for UnpackError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MemberState {
    /// Before the first member, or behind damage.
    Between,
    Inside,
    Ended,
    /// Its data is damaged from here on.
    Broken,
}

/// Unread bytes of a member before the current one.
#[derive(Debug)]
struct CarriedBytes {
    /// As of [`Unpacker`].
    member: u64,
    consumed: u64,
    /// Their number.
    count: usize,
}

/// The decoded bytes of a file.
#[derive(Debug)]
pub(super) struct Unpacker<R> {
    input: RawInput<R>,
    codec: Codec,
    window: Vec<u8>,
    /// The first unread byte of the window.
    start: usize,
    /// The members that the window begins with, before the current one.
    carried: VecDeque<CarriedBytes>,
    /// Offset of the current member in the file.
    member: u64,
    /// Decoded bytes of the member before its first unread one.
    consumed: u64,
    state: MemberState,
    max_ratio: u64,
    /// Decoded bytes that a record may have at any ratio.
    free_bytes: u64,
    /// Decoded bytes of the record so far, and its offset in the file.
    record_bytes: u64,
    record_offset: u64,
}

impl<R: Read + Seek> Unpacker<R> {
    /// Detects the compression of a file, which is at its beginning.
    pub(super) fn open(source: R, limits: &ReadLimits) -> Result<Self, ArchiveError> {
        let mut input = RawInput::new(source, limits.max_reread_bytes);
        let codec = Codec::detect(input.fill(MAGIC_BYTES)?, limits.max_window_log)?;
        let mut unpacker = Self {
            input,
            codec,
            window: Vec::with_capacity(WINDOW_BYTES),
            start: 0,
            carried: VecDeque::new(),
            member: 0,
            consumed: 0,
            state: MemberState::Between,
            max_ratio: limits.max_ratio,
            free_bytes: (limits.max_block_bytes as u64).saturating_add(limits.max_header_bytes as u64),
            record_bytes: 0,
            record_offset: 0,
        };
        unpacker.load_dictionary(limits)?;
        Ok(unpacker)
    }

    /// Loads the dictionary that a zstd file may begin with.
    fn load_dictionary(&mut self, limits: &ReadLimits) -> Result<(), ArchiveError> {
        let beginning = self.input.fill(MAGIC_BYTES)?;
        if !beginning.starts_with(DICTIONARY) {
            return Ok(());
        }
        let damage = || ArchiveError::Dictionary(limits.max_dictionary_bytes);
        let length = skippable_length(beginning).ok_or_else(damage)?;
        let length = usize::try_from(length).ok().filter(|length| *length <= limits.max_dictionary_bytes);
        let mut left = length.ok_or_else(damage)?;
        self.input.consume(MAGIC_BYTES);
        let mut content = Vec::new();
        while left > 0 {
            let piece = self.input.fill(1)?;
            let piece = &piece[..piece.len().min(left)];
            if piece.is_empty() {
                return Err(damage());
            }
            content.extend_from_slice(piece);
            let taken = piece.len();
            left -= taken;
            self.input.consume(taken);
        }
        let dictionary = codec::dictionary(&content, limits.max_dictionary_bytes).ok_or_else(damage)?;
        self.codec = Codec::zstd(&dictionary, limits.max_window_log)?;
        Ok(())
    }

    pub(super) fn is_plain(&self) -> bool {
        matches!(self.codec, Codec::Plain)
    }

    /// Whether the data of the current member was right so far.
    pub(super) fn is_in_member(&self) -> bool {
        matches!(self.state, MemberState::Inside | MemberState::Ended)
    }

    /// The decoded bytes that are not consumed.
    pub(super) fn unread(&self) -> &[u8] {
        &self.window[self.start..]
    }

    /// The part of them that belongs to the current member.
    pub(super) fn unread_of_member(&self) -> &[u8] {
        &self.window[self.start + self.carried_count()..]
    }

    fn carried_count(&self) -> usize {
        self.carried.iter().map(|carried| carried.count).sum()
    }

    pub(super) fn consume(&mut self, count: usize) {
        let mut count = count.min(self.window.len() - self.start);
        self.start += count;
        while let Some(first) = self.carried.front_mut() {
            let step = count.min(first.count);
            first.count -= step;
            first.consumed += step as u64;
            count -= step;
            if first.count > 0 {
                break;
            }
            self.carried.pop_front();
        }
        self.consumed += count as u64;
        if self.start == self.window.len() {
            self.window.clear();
            self.start = 0;
        }
    }

    /// Consumes what belongs to earlier members.
    pub(super) fn drop_carried(&mut self) {
        self.consume(self.carried_count());
    }

    /// Puts bytes back that were consumed last, if they all belong to the member of the first unread byte.
    pub(super) fn put_back(&mut self, bytes: &[u8]) {
        let first = self.carried.front_mut();
        let consumed = first.as_ref().map_or(self.consumed, |first| first.consumed);
        let Some(consumed) = consumed.checked_sub(bytes.len() as u64) else { return };
        match first {
            Some(first) => (first.consumed, first.count) = (consumed, first.count + bytes.len()),
            None => self.consumed = consumed,
        }
        self.window = [bytes, self.unread()].concat();
        self.start = 0;
    }

    /// Where the first unread byte is.
    pub(super) fn position(&self) -> RecordPosition {
        match (&self.codec, self.carried.front()) {
            (Codec::Plain, _) => RecordPosition { file: self.member + self.consumed, within: 0 },
            (_, Some(first)) => RecordPosition { file: first.member, within: first.consumed },
            _ if self.is_in_member() => RecordPosition { file: self.member, within: self.consumed },
            _ => RecordPosition { file: self.input.offset(), within: 0 },
        }
    }

    /// Begins to measure the ratio of a record.
    pub(super) fn begin_record(&mut self) {
        (self.record_bytes, self.record_offset) = (self.unread().len() as u64, self.input.offset());
    }

    /// Decodes more bytes of the member into the window. Returns false at the end of the member.
    pub(super) fn decode_more(&mut self) -> Result<bool, UnpackError> {
        loop {
            match self.state {
                MemberState::Inside => {}
                MemberState::Broken => return Err(UnpackError::Damage(SkipReason::Compression)),
                MemberState::Between | MemberState::Ended => return Ok(false),
            }
            self.make_room();
            let before = self.window.len();
            let input = self.input.fill(1)?;
            let is_at_end = input.is_empty();
            let step = self.codec.decode(input, &mut self.window);
            let grown = self.window.len() - before;
            let taken = step.as_ref().map_or(0, |step| step.taken);
            self.input.consume(taken);
            match step {
                Ok(step) if step.ended => self.state = MemberState::Ended,
                Ok(_) if taken > 0 || grown > 0 => {}
                Ok(_) if is_at_end && self.is_plain() => self.state = MemberState::Ended,
                Ok(_) if is_at_end => {
                    self.state = MemberState::Broken;
                    return Err(UnpackError::Damage(SkipReason::Cut));
                }
                Ok(_) | Err(_) => self.state = MemberState::Broken,
            }
            if grown > 0 {
                self.check_ratio(grown as u64)?;
                return Ok(true);
            }
        }
    }

    fn check_ratio(&mut self, grown: u64) -> Result<(), UnpackError> {
        self.record_bytes += grown;
        // One buffer of input may hold the whole record.
        let compressed = self.input.offset().saturating_sub(self.record_offset) + WINDOW_BYTES as u64;
        let allowed = self.free_bytes.max(compressed.saturating_mul(self.max_ratio));
        if self.is_plain() || self.record_bytes <= allowed {
            return Ok(());
        }
        self.state = MemberState::Broken;
        Err(UnpackError::Damage(SkipReason::Ratio))
    }

    fn make_room(&mut self) {
        if self.window.capacity() - self.window.len() >= ROOM_BYTES {
            return;
        }
        self.window.drain(..self.start);
        self.start = 0;
        if self.window.capacity() - self.window.len() < ROOM_BYTES {
            self.window.reserve(WINDOW_BYTES);
        }
    }

    /// Begins the next member, behind the unread bytes. Returns false at the end of the file. Padding with zeros and
    /// skippable frames are passed over.
    pub(super) fn begin_next_member(&mut self) -> Result<bool, UnpackError> {
        if self.is_plain() && self.state != MemberState::Between {
            return Ok(false);
        }
        loop {
            let beginning = self.input.fill(MAGIC_BYTES)?;
            let (skippable, magic) = (skippable_length(beginning), self.codec.magic());
            if beginning.is_empty() {
                return Ok(false);
            } else if beginning.starts_with(magic) {
                self.begin_member();
                return Ok(true);
            } else if let (Codec::Zstd(_), Some(length)) = (&self.codec, skippable) {
                self.input.consume(MAGIC_BYTES);
                if !self.input.skip(length)? {
                    self.state = MemberState::Between;
                    return Err(UnpackError::Damage(SkipReason::Cut));
                }
            } else if beginning[0] == 0 {
                let zeros = beginning.iter().take_while(|byte| **byte == 0).count();
                self.input.consume(zeros);
            } else {
                self.state = MemberState::Between;
                return Err(UnpackError::Damage(SkipReason::Garbage));
            }
        }
    }

    fn begin_member(&mut self) {
        let count = self.unread_of_member().len();
        if count > 0 {
            self.carried.push_back(CarriedBytes { member: self.member, consumed: self.consumed, count });
        }
        self.codec.reset();
        (self.member, self.consumed) = (self.input.offset(), 0);
        self.state = MemberState::Inside;
    }

    fn clear(&mut self) {
        self.window.clear();
        self.carried.clear();
        self.start = 0;
    }

    /// Begins the first member behind damage whose content begins as `is_record` wants. Returns false if the file has
    /// none.
    pub(super) fn find_member(&mut self, is_record: impl Fn(&[u8]) -> bool) -> Result<bool, UnpackError> {
        let magic = Finder::new(self.codec.magic());
        match self.state {
            // The damage begins here.
            MemberState::Between => self.input.consume(1),
            _ => _ = self.input.rewind(self.member + 1)?,
        }
        self.clear();
        self.state = MemberState::Between;
        while self.input.find(&magic)? {
            let offset = self.input.offset();
            let is_record = is_record(&self.probe()?);
            self.input.seek(offset)?;
            if is_record {
                self.begin_member();
                self.begin_record();
                return Ok(true);
            }
            if !self.input.charge(self.codec.cost_of_start()) {
                return Err(UnpackError::Damage(SkipReason::TooDamaged));
            }
            self.input.seek(offset + 1)?;
        }
        Ok(false)
    }

    /// The first bytes of the member that begins here.
    fn probe(&mut self) -> io::Result<Vec<u8>> {
        self.codec.reset();
        let mut content = Vec::with_capacity(PROBE_BYTES);
        loop {
            let before = content.len();
            let input = self.input.fill(1)?;
            let is_at_end = input.is_empty();
            let Ok(step) = self.codec.decode(input, &mut content) else { return Ok(content) };
            self.input.consume(step.taken);
            let is_stuck = step.taken == 0 && content.len() == before;
            if step.ended || is_at_end || is_stuck || content.len() == content.capacity() {
                return Ok(content);
            }
        }
    }

    /// Continues a plain file at an offset that was read already, if the bytes since then may be read twice.
    pub(super) fn rewind_plain(&mut self, offset: u64) -> Result<(), UnpackError> {
        if self.input.rewind(offset)? {
            self.clear();
            self.begin_member();
        }
        Ok(())
    }

    /// Continues at a position of this file.
    pub(super) fn seek(&mut self, position: RecordPosition) -> Result<(), UnpackError> {
        self.input.seek(position.file)?;
        self.clear();
        self.state = MemberState::Between;
        if !self.begin_next_member()? {
            return Ok(());
        }
        let mut left = position.within;
        while left > 0 {
            self.begin_record();
            if self.unread().is_empty() && !self.decode_more()? {
                return Err(UnpackError::Damage(SkipReason::WrongLength));
            }
            let step = usize::try_from(left).map_or(usize::MAX, |left| left).min(self.unread().len());
            self.consume(step);
            left -= step as u64;
        }
        Ok(())
    }
}

/// The length of the content of a zstd skippable frame (RFC 8878, 3.1.2).
fn skippable_length(beginning: &[u8]) -> Option<u64> {
    match beginning {
        [low, 0x2a, 0x4d, 0x18, length @ ..] if low & 0xf0 == 0x50 => {
            let length = length.first_chunk::<4>()?;
            Some(u64::from(u32::from_le_bytes(*length)))
        }
        _ => None,
    }
}
