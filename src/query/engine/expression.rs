//! Column expressions: how the columns of an answer are computed from rows and groups.

use super::column::ValueType;
use super::link_visit::VisitPart;
use super::page_state::StatePart;

/// How a column of an answer is computed. Names are those of the fields of the rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnExpr {
    /// A field of the row, or the field by which its group is made.
    Field(&'static str),
    /// The position in the answer, from 1: the offset plus the index on the page. Not for `where` and
    /// `order[]`.
    RowNumber,
    /// The number of rows of the group.
    Count,
    /// The percentage of all rows that are in the group, rounded to the nearest hundredth, halves up.
    Percentage,
    /// The number of distinct known values of a field in the group.
    Distinct(&'static str),
    /// [`Self::Distinct`] minus one: the distinct values other than the one that [`Self::Mode`] shows.
    DistinctMinusOne(&'static str),
    /// The most frequent value of a field in the group. Of equally frequent values the lowest is taken.
    Mode(&'static str),
    /// The lowest number or day of a field in the group.
    Lowest(&'static str),
    /// The number of rows of the group that do not have this flag.
    CountUnset(&'static str),
    /// The last day on which a backlink of the group counted as active: for an active one that of the last conclusive
    /// response of its page, for a lost one that of its loss.
    LastActiveDay,
    /// As [`Self::Mode`], but only among the rows that have the most frequent value of `given`.
    ModeGiven { field: &'static str, given: &'static str },
    /// `OnlyImages`, `MostlyImages`, `MostlyText` or `OnlyText`, by the share of rows that have this flag.
    ImageShare(&'static str),
    /// The rank of the page that a field names.
    PageRank(&'static str),
    /// The rank of the registrable domain that a field names.
    DomainRank(&'static str),
    /// The number of referring domains of the page that a field names without its scheme.
    RefDomains(&'static str),
    /// The number of referring domains of the registrable domain that a field names, except itself.
    ForeignRefDomains(&'static str),
    /// The Jaccard index of the referring domains of the scope and of another domain, in ten thousandths. `common`
    /// counts those of both, `scope_refdoms` those of the scope, and `domain` names the other domain. Equal sets have the
    /// index 1.
    JaccardIndex { common: &'static str, scope_refdoms: &'static str, domain: &'static str },
    /// A part of the state of the page that a field names.
    PageState { page: &'static str, part: StatePart },
    /// What the last visits to the page of a backlink found.
    LinkVisit(VisitPart),
    /// The number of rows of the whole list that have the row's value of a field. `where` does not change it.
    CountSameValue(&'static str),
}

impl ColumnExpr {
    /// The type of its values. `of_field` gives the types of the fields.
    pub fn value_type(self, of_field: impl Fn(&str) -> Option<ValueType>) -> Option<ValueType> {
        match self {
            Self::Field(field) | Self::Mode(field) | Self::ModeGiven { field, .. } | Self::Lowest(field) => {
                of_field(field)
            }
            Self::RowNumber
            | Self::Count
            | Self::Distinct(_)
            | Self::DistinctMinusOne(_)
            | Self::CountUnset(_)
            | Self::RefDomains(_)
            | Self::ForeignRefDomains(_)
            | Self::CountSameValue(_) => Some(ValueType::Number),
            Self::JaccardIndex { .. } => Some(ValueType::TenThousandths),
            Self::LastActiveDay => Some(ValueType::Day),
            Self::LinkVisit(part) => Some(part.value_type()),
            Self::PageState { part, .. } => Some(part.value_type()),
            Self::Percentage | Self::PageRank(_) | Self::DomainRank(_) => Some(ValueType::Hundredths),
            Self::ImageShare(_) => Some(ValueType::Text),
        }
    }

    /// Whether it depends on links into other domains, or on their pages.
    pub(in crate::query) fn depends_on_other_domains(self) -> bool {
        matches!(
            self,
            Self::RefDomains(_) | Self::ForeignRefDomains(_) | Self::JaccardIndex { .. } | Self::LinkVisit(_)
        )
    }

    /// Whether it depends on the state of the scope's own pages.
    pub(in crate::query) fn depends_on_own_pages(self) -> bool {
        matches!(self, Self::PageState { .. })
    }
}

/// 100 × part / total in hundredths, rounded to the nearest, halves up; 0 if the total is 0.
pub(in crate::query) fn percentage(part: u64, total: u64) -> u32 {
    if total == 0 {
        return 0;
    }
    ((part * 20_000 + total) / (2 * total)) as u32
}

/// `|A ∩ B| / |A ∪ B|` in ten thousandths, rounded to the nearest, halves up.
pub(in crate::query) fn jaccard(common: u32, scope_refdoms: u32, other: u32) -> u32 {
    let either =
        u64::from(scope_refdoms) + u64::from(other) - u64::from(common.min(scope_refdoms).min(other));
    percentage(u64::from(common), either)
}

pub(in crate::query) fn image_share(images: u32, all: u32) -> &'static str {
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

    #[test]
    fn the_jaccard_index_is_rounded_to_four_decimals() {
        for (shared, scope_refdoms, other, parts) in [
            (0, 0, 0, 0),
            (1, 1, 1, 10_000),
            (1, 2, 2, 3_333),
            (2, 3, 2, 6_667),
            (1, 20_000, 1, 1),
            (1, 20_001, 1, 0),
        ] {
            assert_eq!(
                jaccard(shared, scope_refdoms, other),
                parts,
                "{shared} of {scope_refdoms} and {other}"
            );
        }
    }
}
