//! Finds the records of a file, one after the other.

use std::io::{Read, Seek};

use bytes::Bytes;
use memchr::memchr;

use super::ReadLimits;
use super::arc;
use super::error::{ArchiveError, SkipReason, SkippedRecord};
use super::fields::{VERSION_LINE_BYTES, end_of_header, is_version_line, version_line_length};
use super::head::{RecordHead, RecordKind};
use super::position::RecordPosition;
use super::starts::{FoundStart, MAX_ARC_LINE, find_start, is_record_start};
use super::unpacker::{UnpackError, Unpacker};
use crate::model::Cut;
use crate::warc::Truncation;

/// Bytes of a block that are allocated before they are read.
const BLOCK_BYTES: usize = 256 << 10;

/// What follows in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ArchiveItem {
    Record(Box<ArchiveRecord>),
    Skipped(SkippedRecord),
}

/// A record, read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveRecord {
    pub head: RecordHead,
    /// Its block; empty when it was not wanted.
    pub block: Bytes,
    /// Why the end of the block is missing: it exceeds [`ReadLimits::max_block_bytes`], or the archive says so.
    pub cut: Option<Cut>,
}

impl ArchiveRecord {
    /// Whether the record begins a file of this program, which holds each body as it was received.
    pub fn names_this_program(&self) -> bool {
        let line = b"software: backlinkd/";
        self.head.kind == RecordKind::Info
            && self.block.split(|byte| *byte == b'\n').any(|l| l.starts_with(line))
    }
}

/// A reader of one file.
#[derive(Debug)]
pub struct RecordReader<R> {
    unpacker: Unpacker<R>,
    limits: ReadLimits,
    /// Where the current record begins.
    position: RecordPosition,
    stage: ReadStage,
    /// Whether the file has a record.
    has_records: bool,
    /// Whether the file has WARC records only, so far.
    is_warc: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ReadStage {
    /// At the beginning of a record.
    Start,
    /// In the block of a record.
    Block,
    /// In a record that has no end, because the current member begins with another one.
    Next,
    /// No more records follow.
    End,
}

/// The result of a request for more bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum MoreBytes {
    Some,
    /// The next bytes are a member that begins with a record.
    Record,
    /// The file ends.
    None,
}

impl<R: Read + Seek> RecordReader<R> {
    /// A reader of a file that is at its beginning.
    ///
    /// # Errors
    /// [`ArchiveError`] when its beginning cannot be read, or its compression is not known.
    pub fn new(source: R, limits: ReadLimits) -> Result<Self, ArchiveError> {
        let unpacker = Unpacker::open(source, &limits)?;
        let (position, stage) = (RecordPosition::default(), ReadStage::Start);
        Ok(Self { unpacker, limits, position, stage, has_records: false, is_warc: false })
    }

    /// A reader that begins at the position of a record, in a file that is at its beginning.
    ///
    /// # Errors
    /// As of [`Self::new`]. A position at which no record begins is no error, but the first item is then skipped.
    pub fn starting_at(
        source: R,
        position: RecordPosition,
        limits: ReadLimits,
    ) -> Result<Self, ArchiveError> {
        let mut reader = Self::new(source, limits)?;
        (reader.position, reader.has_records) = (position, true);
        match reader.unpacker.seek(position) {
            // The next item says what is wrong there.
            Ok(()) | Err(UnpackError::Damage(_)) => Ok(reader),
            Err(UnpackError::Io(error)) => Err(error.into()),
        }
    }

    /// Where the item begins that is read last, or after an error of the disk or the network, the one to start at.
    pub fn position(&self) -> RecordPosition {
        self.position
    }

    /// The next record, or the next part of the file that is none; `None` at the end. `is_wanted` says whether the
    /// block of a record is kept.
    ///
    /// # Errors
    /// [`ArchiveError`] when the file cannot be read, or is no archive.
    pub fn next_item(
        &mut self,
        is_wanted: impl FnOnce(&RecordHead) -> bool,
    ) -> Result<Option<ArchiveItem>, ArchiveError> {
        if self.stage == ReadStage::End {
            return Ok(None);
        }
        match self.read_record(is_wanted) {
            Ok(Some(record)) => {
                self.has_records = true;
                Ok(Some(ArchiveItem::Record(Box::new(record))))
            }
            Ok(None) => {
                self.stage = ReadStage::End;
                Ok(None)
            }
            Err(UnpackError::Io(error)) => Err(error.into()),
            Err(UnpackError::Damage(reason)) => self.skip(reason).map(Some),
        }
    }

    fn read_record(
        &mut self,
        is_wanted: impl FnOnce(&RecordHead) -> bool,
    ) -> Result<Option<ArchiveRecord>, UnpackError> {
        self.stage = ReadStage::Start;
        if !self.pass_line_ends()? {
            return Ok(None);
        }
        self.position = self.unpacker.position();
        self.unpacker.begin_record();
        let head = self.read_head()?;
        self.stage = ReadStage::Block;
        let is_wanted = is_wanted(&head);
        // An unwanted block is kept too, because a wrong length shows in it.
        let mut block = Vec::new();
        if let Err(error) = self.read_block(head.length, &mut block) {
            self.return_block(&head, &block);
            return Err(error);
        }
        if !is_wanted {
            block = Vec::new();
        }
        let is_cut = is_wanted && head.length > self.limits.max_block_bytes as u64;
        let cut = if is_cut { Some(Cut::Length) } else { head.truncation.and_then(Truncation::cut) };
        Ok(Some(ArchiveRecord { head, block: block.into(), cut }))
    }

    /// Passes the line ends between records, and the ends of members. Returns false at the end of the file.
    fn pass_line_ends(&mut self) -> Result<bool, UnpackError> {
        loop {
            let unread = self.unpacker.unread();
            let blanks = unread.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
            if blanks < unread.len() {
                self.unpacker.consume(blanks);
                return Ok(true);
            }
            self.unpacker.consume(blanks);
            self.position = self.unpacker.position();
            if !self.unpacker.decode_more()? {
                self.position = self.unpacker.position();
                self.unpacker.begin_record();
                if !self.unpacker.begin_next_member()? {
                    return Ok(false);
                }
            }
        }
    }

    /// Reads the header. On an error, nothing of it is consumed.
    fn read_head(&mut self) -> Result<RecordHead, UnpackError> {
        self.fill(VERSION_LINE_BYTES)?;
        let Some(version_end) = version_line_length(self.unpacker.unread()) else {
            return self.read_arc_line();
        };
        let mut searched = 0;
        let end = loop {
            let unread = self.unpacker.unread();
            if let Some(end) = end_of_header(unread, searched) {
                break end;
            }
            searched = unread.len();
            if searched > self.limits.max_header_bytes {
                return Err(UnpackError::Damage(SkipReason::HeaderTooLong));
            }
            self.decode_more(SkipReason::Header)?;
        };
        if end > self.limits.max_header_bytes {
            return Err(UnpackError::Damage(SkipReason::HeaderTooLong));
        }
        let fields = &self.unpacker.unread()[version_end..end];
        let head = RecordHead::parse(fields, self.position).map_err(UnpackError::Damage)?;
        self.unpacker.consume(end);
        self.is_warc = true;
        Ok(head)
    }

    fn read_arc_line(&mut self) -> Result<RecordHead, UnpackError> {
        let garbage = || UnpackError::Damage(SkipReason::Garbage);
        let end = self.line_end()?.ok_or_else(garbage)?;
        let line = arc::parse_line(&self.unpacker.unread()[..end]).ok_or_else(garbage)?;
        let head = line.head(self.position);
        self.unpacker.consume(end + 1);
        self.is_warc = false;
        Ok(head)
    }

    /// The index of the next line feed; `None` when the line is too long, or the member ends before.
    fn line_end(&mut self) -> Result<Option<usize>, UnpackError> {
        let mut searched = 0;
        loop {
            let unread = self.unpacker.unread();
            if let Some(end) = memchr(b'\n', &unread[searched..]) {
                return Ok(Some(searched + end));
            }
            searched = unread.len();
            if searched > self.limits.max_header_bytes || self.more()? != MoreBytes::Some {
                return Ok(None);
            }
        }
    }

    /// Reads a block and what separates it from the next record.
    fn read_block(&mut self, length: u64, block: &mut Vec<u8>) -> Result<(), UnpackError> {
        let keep = self.limits.max_block_bytes;
        block.reserve_exact(usize::try_from(length).unwrap_or(usize::MAX).min(keep).min(BLOCK_BYTES));
        let mut left = length;
        while left > 0 {
            let unread = self.unpacker.unread();
            if unread.is_empty() {
                self.decode_more(SkipReason::WrongLength)?;
                continue;
            }
            let step = usize::try_from(left).unwrap_or(usize::MAX).min(unread.len());
            block.extend_from_slice(&unread[..step.min(keep - block.len())]);
            self.unpacker.consume(step);
            left -= step as u64;
        }
        self.end_block(block)
    }

    /// Decodes more bytes of a record, of the next member if necessary. Fails with `reason` if the record has no more.
    fn decode_more(&mut self, reason: SkipReason) -> Result<(), UnpackError> {
        match self.more()? {
            MoreBytes::Some => Ok(()),
            MoreBytes::Record => {
                self.stage = ReadStage::Next;
                Err(UnpackError::Damage(reason))
            }
            MoreBytes::None if self.unpacker.is_plain() => Err(UnpackError::Damage(SkipReason::Cut)),
            MoreBytes::None => Err(UnpackError::Damage(reason)),
        }
    }

    /// Decodes more bytes behind the unread ones.
    fn more(&mut self) -> Result<MoreBytes, UnpackError> {
        if self.unpacker.decode_more()? {
            return Ok(MoreBytes::Some);
        }
        if !self.unpacker.begin_next_member()? {
            return Ok(MoreBytes::None);
        }
        loop {
            let bytes = self.unpacker.unread_of_member();
            // The header of an ARC record ends with its first line.
            let is_enough = bytes.len() >= MAX_ARC_LINE || memchr(b'\n', bytes).is_some();
            if is_enough || !self.unpacker.decode_more()? {
                let is_record = self.is_record(self.unpacker.unread_of_member());
                return Ok(if is_record { MoreBytes::Record } else { MoreBytes::Some });
            }
        }
    }

    /// Decodes until `count` bytes are unread, or the next record or the end of the file follows.
    fn fill(&mut self, count: usize) -> Result<(), UnpackError> {
        while self.unpacker.unread().len() < count && self.more()? == MoreBytes::Some {}
        Ok(())
    }

    /// Whether these bytes begin with a record.
    fn is_record(&self, bytes: &[u8]) -> bool {
        if self.is_warc { is_version_line(bytes) } else { is_record_start(bytes) }
    }

    /// Whether a record begins here.
    fn is_at_record(&mut self) -> Result<bool, UnpackError> {
        self.fill(VERSION_LINE_BYTES)?;
        if !self.is_warc && !is_version_line(self.unpacker.unread()) {
            self.line_end()?;
        }
        Ok(self.is_record(self.unpacker.unread()))
    }

    /// Checks what follows a block: a record, the end, or at least an empty line. Also decodes the end of its member.
    fn end_block(&mut self, block: &[u8]) -> Result<(), UnpackError> {
        let mut line_ends = 0;
        loop {
            if self.unpacker.unread().is_empty() && !self.unpacker.decode_more()? {
                return Ok(());
            }
            match self.unpacker.unread().first() {
                Some(b'\n') => line_ends += 1,
                Some(b'\r') => {}
                _ => break,
            }
            self.unpacker.consume(1);
        }
        // A wrong length may end by chance where a record begins, or at an empty line. Its block then has a record.
        let usual = if self.is_warc { 2 } else { 1 };
        let is_at_record = self.is_at_record()?;
        let has_record = || matches!(find_start(block, true, !self.is_warc), FoundStart::At(_));
        let is_usual = is_at_record && line_ends == usual;
        // Nothing else follows in a member that begins with the record, because its checksum shows only at its end.
        let may_have_garbage = line_ends >= 2 && (self.unpacker.is_plain() || self.position.within > 0);
        if is_usual || (is_at_record || may_have_garbage) && !has_record() {
            return Ok(());
        }
        Err(UnpackError::Damage(SkipReason::WrongLength))
    }

    /// Returns a block to the unpacker, so that records in it are found. A plain file is read again instead.
    fn return_block(&mut self, head: &RecordHead, block: &[u8]) {
        let is_all = block.len() < self.limits.max_block_bytes || block.len() as u64 == head.length;
        let has_copy = self.unpacker.is_plain() || !self.unpacker.is_in_member();
        if self.stage == ReadStage::Block && is_all && !has_copy {
            self.unpacker.put_back(block);
        }
    }

    /// Reports the current record as skipped, and advances to the next one.
    fn skip(&mut self, reason: SkipReason) -> Result<ArchiveItem, ArchiveError> {
        let position = self.position;
        let skipped = |reason| Ok(ArchiveItem::Skipped(SkippedRecord { position, reason }));
        let is_lead = !self.has_records && reason == SkipReason::Garbage;
        match self.find_record(is_lead) {
            Ok(true) => skipped(reason),
            Ok(false) if is_lead => {
                self.stage = ReadStage::End;
                Err(ArchiveError::NotAnArchive)
            }
            Ok(false) => {
                self.stage = ReadStage::End;
                skipped(reason)
            }
            Err(UnpackError::Io(error)) => Err(error.into()),
            Err(UnpackError::Damage(reason)) => {
                self.stage = ReadStage::End;
                skipped(reason)
            }
        }
    }

    /// Advances to the next record behind damage. Returns false if there is none. `is_lead` limits the search to the
    /// beginning of the file.
    fn find_record(&mut self, is_lead: bool) -> Result<bool, UnpackError> {
        if self.unpacker.is_plain() {
            self.unpacker.rewind_plain(self.position.file + 1)?;
            return self.scan(is_lead);
        }
        if self.stage == ReadStage::Next {
            self.unpacker.drop_carried();
            return Ok(true);
        }
        if self.unpacker.is_in_member() {
            match self.scan(is_lead) {
                Err(UnpackError::Damage(_)) => {}
                found => return found,
            }
        }
        self.unpacker.find_member(is_record_start)
    }

    /// Searches the decoded bytes for the beginning of a record, behind the first byte.
    fn scan(&mut self, is_lead: bool) -> Result<bool, UnpackError> {
        let mut passed = 0;
        let mut is_line_start = false;
        if !self.unpacker.is_plain() {
            match self.stage {
                // The block was put back.
                ReadStage::Block => is_line_start = true,
                _ => self.unpacker.consume(1),
            }
        }
        self.unpacker.begin_record();
        loop {
            let (step, is_found) = match find_start(self.unpacker.unread(), is_line_start, !self.is_warc) {
                FoundStart::At(at) => (at, true),
                FoundStart::NotBefore(at) => (at, false),
            };
            if step > 0 {
                is_line_start = self.unpacker.unread()[step - 1] == b'\n';
            }
            passed += step as u64;
            self.unpacker.consume(step);
            if is_found {
                return Ok(true);
            }
            if is_lead && passed > self.limits.max_lead_bytes {
                return Ok(false);
            }
            match self.more()? {
                MoreBytes::Some => {}
                MoreBytes::None => return Ok(false),
                MoreBytes::Record => {
                    self.unpacker.drop_carried();
                    return Ok(true);
                }
            }
        }
    }
}
