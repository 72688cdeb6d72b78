//! How a page, its outlinks and a backlink are written: one encoder and one decoder each. Here, what several of them
//! hold.

mod backlink;
mod host;
mod met;
mod outlinks;
mod page;
mod priority;

use std::net::IpAddr;

use crate::model::{Day, Place, SourcePage, Toggle};

use super::codec::{Damage, Reader, put_text, put_varint};

pub(super) use backlink::{decode_backlink, decode_backlink_value, encode_backlink};
pub(super) use host::{decode_host, encode_host};
pub(super) use met::{decode_met, put_grant, put_met, put_target, read_grant, target};
pub(super) use outlinks::{decode_outlinks, encode_outlinks};
pub(super) use page::{decode_page, decode_page_status, encode_page};
pub(super) use priority::{lane_start, priority, put_priority};

fn put_source(out: &mut Vec<u8>, page: &SourcePage) {
    put_text(out, &page.title);
    match page.ip {
        None => out.push(0),
        Some(IpAddr::V4(ip)) => {
            out.push(4);
            out.extend_from_slice(&ip.octets());
        }
        Some(IpAddr::V6(ip)) => {
            out.push(16);
            out.extend_from_slice(&ip.octets());
        }
    }
    put_text(out, &page.place.ccode);
    put_text(out, &page.place.country);
    put_text(out, &page.place.city);
    put_varint(out, u64::from(page.int_links));
    put_varint(out, u64::from(page.ext_links));
    put_varint(out, u64::from(page.upd_day.0));
}

/// A [`SourcePage`] whose texts lie in the record.
pub(super) struct SourceView<'a> {
    pub title: &'a str,
    pub ip: Option<IpAddr>,
    pub ccode: &'a str,
    pub country: &'a str,
    pub city: &'a str,
    pub int_links: u32,
    pub ext_links: u32,
    pub upd_day: Day,
}

impl From<SourceView<'_>> for SourcePage {
    fn from(page: SourceView<'_>) -> Self {
        Self {
            title: page.title.to_owned(),
            ip: page.ip,
            place: Place {
                ccode: page.ccode.to_owned(),
                country: page.country.to_owned(),
                city: page.city.to_owned(),
            },
            int_links: page.int_links,
            ext_links: page.ext_links,
            upd_day: page.upd_day,
        }
    }
}

fn source<'a>(reader: &mut Reader<'a>) -> Result<SourceView<'a>, Damage> {
    const IP: &str = "the address";
    Ok(SourceView {
        title: reader.text("the title")?,
        ip: match reader.byte(IP)? {
            0 => None,
            4 => Some(IpAddr::from(<[u8; 4]>::try_from(reader.bytes(4, IP)?).map_err(|_| Damage(IP))?)),
            16 => Some(IpAddr::from(<[u8; 16]>::try_from(reader.bytes(16, IP)?).map_err(|_| Damage(IP))?)),
            _ => return Err(Damage(IP)),
        },
        ccode: reader.text("the country code")?,
        country: reader.text("the country")?,
        city: reader.text("the city")?,
        int_links: reader.u32("the internal links")?,
        ext_links: reader.u32("the external links")?,
        upd_day: Day(reader.u32("the last day")?),
    })
}

fn put_toggles(out: &mut Vec<u8>, toggles: &[Toggle]) {
    put_varint(out, toggles.len() as u64);
    for toggle in toggles {
        put_varint(out, u64::from(toggle.lost.0));
        // Zero stands for "not back": a link cannot be back in 1970.
        put_varint(out, toggle.back.map_or(0, |day| u64::from(day.0)));
    }
}

fn toggles(reader: &mut Reader<'_>) -> Result<Vec<Toggle>, Damage> {
    let count = reader.count("the absences")?;
    (0..count)
        .map(|_| {
            let lost = Day(reader.u32("a lost day")?);
            let back = reader.u32("a returning day")?;
            Ok(Toggle { lost, back: (back > 0).then_some(Day(back)) })
        })
        .collect()
}
