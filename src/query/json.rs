//! A JSON writer for pages (RFC 8259). It writes cells directly, without a serializer: it bounds the speed of
//! exports.

use std::io::Write;
use std::net::IpAddr;

use rayon::prelude::*;

use super::engine::column::{Column, Encoding, Value};
use super::engine::row_page::RowPage;
use super::thread_pool::parallel;

/// Rows that one thread writes at a time.
const ROWS_PER_CHUNK: usize = 2_048;

impl RowPage {
    /// Appends the rows as a JSON array of objects.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        let pieces = self.json_lines(b",");
        out.reserve(pieces.iter().map(Vec::len).sum::<usize>() + 2);
        out.push(b'[');
        pieces.iter().for_each(|piece| out.extend_from_slice(piece));
        if self.rows > 0 {
            out.pop();
        }
        out.push(b']');
    }

    /// The rows as JSON objects, each followed by the separator, in chunks of 2,048 rows.
    pub fn json_lines(&self, separator: &[u8]) -> Vec<Vec<u8>> {
        let columns: Vec<(Vec<u8>, &Column)> =
            self.columns.iter().map(|(name, column)| (format!("\"{name}\":").into_bytes(), column)).collect();
        let pieces = 0..self.rows.div_ceil(ROWS_PER_CHUNK);
        let write = |piece: usize| {
            let first = piece * ROWS_PER_CHUNK;
            let rows = first..(first + ROWS_PER_CHUNK).min(self.rows);
            let mut out = Vec::with_capacity(rows.len() * columns.len() * 32);
            for row in rows {
                write_row(&mut out, &columns, row);
                out.extend_from_slice(separator);
            }
            out
        };
        if pieces.len() > 1 {
            parallel(|| pieces.into_par_iter().map(write).collect())
        } else {
            pieces.map(write).collect()
        }
    }
}

fn write_row(out: &mut Vec<u8>, columns: &[(Vec<u8>, &Column)], row: usize) {
    out.push(b'{');
    for (at, (name, column)) in columns.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        out.extend_from_slice(name);
        match column.encoding() {
            // Texts are most of the output. As bytes they need no search for character boundaries.
            Encoding::Texts(texts) => write_text(out, texts.text_bytes(column.cell(row))),
            _ => write_value(out, column.value(row)),
        }
    }
    out.push(b'}');
}

fn write_value(out: &mut Vec<u8>, value: Value<'_>) {
    match value {
        Value::Number(number) | Value::DayNumber(number) => write_number(out, number),
        Value::Hundredths(parts) => write_parts(out, parts, 100),
        Value::TenThousandths(parts) => write_parts(out, parts, 10_000),
        Value::Flag(flag) => out.extend_from_slice(if flag { b"true" } else { b"false" }),
        Value::Day(day) => {
            out.push(b'"');
            let mut digits = [b'0'; 8];
            let mut left = day;
            for digit in digits.iter_mut().rev() {
                *digit += (left % 10) as u8;
                left /= 10;
            }
            out.extend_from_slice(&digits);
            out.push(b'"');
        }
        Value::Text(text) => write_text(out, text.as_bytes()),
        Value::Address(None) => out.extend_from_slice(b"\"\""),
        Value::Address(Some(IpAddr::V4(address))) => {
            out.push(b'"');
            for (at, octet) in address.octets().into_iter().enumerate() {
                if at > 0 {
                    out.push(b'.');
                }
                write_number(out, u32::from(octet));
            }
            out.push(b'"');
        }
        Value::Address(Some(IpAddr::V6(address))) => {
            // Writing to memory does not fail.
            let _ = write!(out, "\"{address}\"");
        }
    }
}

/// Writes a decimal number with as many decimals as it needs.
fn write_parts(out: &mut Vec<u8>, parts: u32, whole: u32) {
    write_number(out, parts / whole);
    let (mut rest, mut place) = (parts % whole, whole / 10);
    if rest > 0 {
        out.push(b'.');
    }
    while rest > 0 {
        out.push(b'0' + (rest / place) as u8);
        rest %= place;
        place /= 10;
    }
}

fn write_number(out: &mut Vec<u8>, number: u32) {
    // Writing to memory does not fail.
    let _ = serde_json::to_writer(out, &number);
}

/// Writes the bytes of a text as a JSON string.
fn write_text(out: &mut Vec<u8>, text: &[u8]) {
    if text.chunks(16).any(needs_escape) {
        // Every text is a valid JSON string, and writing to memory does not fail.
        let _ = serde_json::to_writer(out, &String::from_utf8_lossy(text));
        return;
    }
    out.push(b'"');
    out.extend_from_slice(text);
    out.push(b'"');
}

/// Whether one of these bytes must be escaped in a JSON string. It checks all of them: that takes one or two
/// vector instructions.
fn needs_escape(bytes: &[u8]) -> bool {
    bytes.iter().fold(false, |found, &byte| found | (byte < 0x20) | (byte == b'"') | (byte == b'\\'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::query::Deadline;
    use crate::query::engine::dictionary::AddressDictionaryBuilder;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

        /// The serializer writes the same bytes.
        #[test]
        fn rows_are_written_as_the_serializer_writes_them(
            rows in proptest::collection::vec((any::<u32>(), 0u32..100_000, any::<bool>(), ".{0,40}", any::<Option<IpAddr>>()), 0..40),
        ) {
            let deadline = Deadline::after(std::time::Duration::MAX);
            let mut addresses = AddressDictionaryBuilder::default();
            let codes = rows.iter().map(|row| addresses.code(row.4)).collect();
            let number = |encoding| Column::new(rows.iter().map(|row| row.1).collect(), encoding);
            let columns = vec![
                ("number", Column::new(rows.iter().map(|row| row.0).collect(), Encoding::Number)),
                ("hundredths", number(Encoding::Hundredths)),
                ("tenThousandths", number(Encoding::TenThousandths)),
                ("flag", Column::new(rows.iter().map(|row| row.2.into()).collect(), Encoding::Flag)),
                ("day", number(Encoding::Day)),
                ("dayNumber", number(Encoding::DayNumber)),
                ("text", Column::from_texts(rows.iter().map(|row| row.3.as_str()), &deadline).unwrap()),
                ("address", Column::new(codes, Encoding::Addresses(addresses.finish().into()))),
            ];
            let page = RowPage { columns, rows: rows.len(), count: rows.len(), facets: Vec::new() };
            let mut written = Vec::new();
            page.write_json(&mut written);
            prop_assert_eq!(written, serde_json::to_vec(&page).unwrap());
        }
    }
}
