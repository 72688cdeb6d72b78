//! Parts that several records share: the source page of a link, and the absences of a link.

use std::net::IpAddr;

use crate::model::{Absence, Day, Place, SourcePage};

use super::varint::{Damage, Reader, put_text, put_varint};

pub(in crate::store) fn put_source(out: &mut Vec<u8>, page: &SourcePage) {
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
    put_varint(out, u64::from(page.fetched_day.0));
}

/// A [`SourcePage`] with borrowed texts.
#[derive(Clone, Debug, PartialEq)]
pub struct SourceRef<'a> {
    pub title: &'a str,
    pub ip: Option<IpAddr>,
    pub ccode: &'a str,
    pub country: &'a str,
    pub city: &'a str,
    pub int_links: u32,
    pub ext_links: u32,
    pub fetched_day: Day,
}

impl<'a> From<&'a SourcePage> for SourceRef<'a> {
    fn from(page: &'a SourcePage) -> Self {
        Self {
            title: &page.title,
            ip: page.ip,
            ccode: &page.place.ccode,
            country: &page.place.country,
            city: &page.place.city,
            int_links: page.int_links,
            ext_links: page.ext_links,
            fetched_day: page.fetched_day,
        }
    }
}

impl From<SourceRef<'_>> for SourcePage {
    fn from(page: SourceRef<'_>) -> Self {
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
            fetched_day: page.fetched_day,
        }
    }
}

pub(in crate::store) fn read_source<'a>(reader: &mut Reader<'a>) -> Result<SourceRef<'a>, Damage> {
    const IP: &str = "the address";
    Ok(SourceRef {
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
        fetched_day: Day(reader.u32("the last day")?),
    })
}

pub(in crate::store) fn put_absences(out: &mut Vec<u8>, absences: &[Absence]) {
    put_varint(out, absences.len() as u64);
    for absence in absences {
        put_varint(out, u64::from(absence.lost.0));
        // Zero means "not back": no link reappears in 1970.
        put_varint(out, absence.back.map_or(0, |day| u64::from(day.0)));
    }
}

pub(in crate::store) fn read_absences(reader: &mut Reader<'_>) -> Result<Vec<Absence>, Damage> {
    let count = reader.count("the absences")?;
    (0..count)
        .map(|_| {
            let lost = Day(reader.u32("a lost day")?);
            let back = reader.u32("a returning day")?;
            Ok(Absence { lost, back: (back > 0).then_some(Day(back)) })
        })
        .collect()
}
