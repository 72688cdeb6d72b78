//! How the columns of an answer are worked out of rows and groups: what a declaration says.

use super::column::Kind;
use super::page_state::StatePart;

/// How a column of an answer is worked out. Names are those of the scanned rows' fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compute {
    /// The row's own field, or the one that its group is made by.
    Field(&'static str),
    /// Offset + index on the page, from 1. Only for pages, not for `where` and `order[]`.
    RowNumber,
    /// Rows of the group.
    Count,
    /// Rows of the group in a hundred of all rows, rounded to the nearest hundredth, halves up.
    Percentage,
    /// Different known values of a field in the group.
    Distinct(&'static str),
    /// As [`Self::Distinct`] less the one that [`Self::Commonest`] shows.
    Further(&'static str),
    /// The value most rows of the group have; of equals the lowest.
    Commonest(&'static str),
    /// As [`Self::Commonest`], among the rows with the commonest value of `beside`.
    CommonestBeside { field: &'static str, beside: &'static str },
    /// `OnlyImages`, `MostlyImages`, `MostlyText` or `OnlyText`, by the share of rows with this flag.
    ImageShare(&'static str),
    /// The rank of the page named by a field.
    PageRank(&'static str),
    /// The rank of the registrable domain named by a field.
    DomainRank(&'static str),
    /// The referring domains of the page that a field names without its scheme.
    RefDomains(&'static str),
    /// The referring domains of the registrable domain named by a field, itself left out.
    ForeignRefDomains(&'static str),
    /// Of the referring domains of two sides, the share that both have, in ten thousandths: `shared` are those,
    /// `own` all of the one side, and `domain` names the other. 1 is the highest (Jaccard's index).
    Overlap { shared: &'static str, own: &'static str, domain: &'static str },
    /// A part of the state of the page named by a field.
    PageState { page: &'static str, part: StatePart },
    /// Rows of the whole list, `where` aside, with the row's value of a field.
    Alike(&'static str),
}

impl Compute {
    /// The kind of its values, where `of_field` knows the kinds of the fields.
    pub fn kind(self, of_field: impl Fn(&str) -> Option<Kind>) -> Option<Kind> {
        match self {
            Self::Field(field) | Self::Commonest(field) | Self::CommonestBeside { field, .. } => {
                of_field(field)
            }
            Self::RowNumber
            | Self::Count
            | Self::Distinct(_)
            | Self::Further(_)
            | Self::RefDomains(_)
            | Self::ForeignRefDomains(_)
            | Self::Alike(_) => Some(Kind::Number),
            Self::Overlap { .. } => Some(Kind::TenThousandths),
            Self::PageState { part, .. } => Some(part.kind()),
            Self::Percentage | Self::PageRank(_) | Self::DomainRank(_) => Some(Kind::Hundredths),
            Self::ImageShare(_) => Some(Kind::Text),
        }
    }

    /// Whether it tells of links into other domains.
    pub(super) fn looks_at_others(self) -> bool {
        matches!(self, Self::RefDomains(_) | Self::ForeignRefDomains(_) | Self::Overlap { .. })
    }

    /// Whether it tells how the scope's own pages stand.
    pub(super) fn looks_at_pages(self) -> bool {
        matches!(self, Self::PageState { .. })
    }
}

/// 100 × part / total in hundredths, rounded to the nearest, halves up.
pub(super) fn percentage(part: u64, total: u64) -> u32 {
    if total == 0 {
        return 0;
    }
    ((part * 20_000 + total) / (2 * total)) as u32
}

pub(super) fn image_share(images: u32, all: u32) -> &'static str {
    match (u64::from(images), u64::from(all)) {
        (0, _) => "OnlyText",
        (images, all) if images == all => "OnlyImages",
        (images, all) if images * 2 > all => "MostlyImages",
        _ => "MostlyText",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentages_are_rounded_to_the_nearest_hundredth() {
        for (part, total, hundredths) in [
            (0, 7, 0),
            (1, 3, 3_333),
            (2, 3, 6_667),
            (1, 800, 13),
            (1, 20_000, 1),
            (1, 20_001, 0),
            (5, 5, 10_000),
        ] {
            assert_eq!(percentage(part, total), hundredths, "{part} of {total}");
        }
    }

    #[test]
    fn half_images_are_mostly_text() {
        let shares: Vec<&str> = (0..=4).map(|images| image_share(images, 4)).collect();
        assert_eq!(shares, ["OnlyText", "MostlyText", "MostlyText", "MostlyImages", "OnlyImages"]);
    }
}
