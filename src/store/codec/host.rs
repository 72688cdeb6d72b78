//! Values of `hosts`: one host as a server. Records of format 4 end before the failed requests.

use crate::model::{HostFailure, HostRecord, HostVisit};

use super::varint::{Damage, Reader, put_text, put_varint};

pub(in crate::store) fn encode_host(host: &HostRecord) -> Vec<u8> {
    let mut out = Vec::with_capacity(16 + host.last.len() * 8);
    put_varint(&mut out, host.pages);
    put_varint(&mut out, host.visits);
    put_varint(&mut out, u64::from(host.failures));
    put_varint(&mut out, host.backoff_until);
    put_varint(&mut out, host.last.len() as u64);
    for visit in &host.last {
        put_varint(&mut out, visit.visited_at);
        put_varint(&mut out, u64::from(visit.status));
        out.push(visit.failure);
    }
    if host.last_failures.is_empty() {
        // Most records end here, and all records of format 4.
        return out;
    }
    put_varint(&mut out, host.last_failures.len() as u64);
    for failure in &host.last_failures {
        put_varint(&mut out, failure.at);
        put_text(&mut out, &failure.url);
        put_text(&mut out, &failure.kind);
        put_text(&mut out, &failure.cause);
    }
    out
}

pub(in crate::store) fn decode_host(bytes: &[u8]) -> Result<HostRecord, Damage> {
    let mut reader = Reader(bytes);
    let mut host = HostRecord {
        pages: reader.varint("the pages")?,
        visits: reader.varint("the visits")?,
        failures: reader.u32("the failures")?,
        backoff_until: reader.varint("the time until which it sleeps")?,
        last: Vec::new(),
        last_failures: Vec::new(),
    };
    for _ in 0..reader.count("the last visits")? {
        host.last.push(HostVisit {
            visited_at: reader.varint("the time of a visit")?,
            status: u16::try_from(reader.varint("a status")?).map_err(|_| Damage("a status"))?,
            failure: reader.byte("a failure")?,
        });
    }
    let failures = if reader.0.is_empty() { 0 } else { reader.count("the last failures")? };
    for _ in 0..failures {
        host.last_failures.push(HostFailure {
            at: reader.varint("the time of a failure")?,
            url: reader.string("the URL of a failure")?,
            kind: reader.string("a kind of failure")?,
            cause: reader.string("a cause")?,
        });
    }
    reader.end()?;
    Ok(host)
}
