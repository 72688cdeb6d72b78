//! A table as a listing sees it: one unit per row, or one per group, and columns worked out when asked for.
//!
//! A column is worked out for the units named and no others, so that a look-up in the store is made for the
//! fifty rows of a page and not for the million behind it, unless `where` or `order[]` need it.

use rustc_hash::FxHashMap;

use super::aggregate::Asked;
use super::column::{Column, Kind, Meaning, Value};
use super::groups::Groups;
use super::lookup::LookUp;
use super::page_state::StatePart;
use super::{Deadline, QueryError, Table};
use crate::urls::CanonicalUrl;

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
    /// Rows of the whole table with the row's value of a field.
    Alike(&'static str),
}

impl Compute {
    /// The fields it reads.
    pub fn fields(self) -> impl Iterator<Item = &'static str> {
        let fields = match self {
            Self::RowNumber | Self::Count | Self::Percentage => [None; 3],
            Self::CommonestBeside { field, beside } => [Some(field), Some(beside), None],
            Self::Overlap { shared, own, domain } => [Some(shared), Some(own), Some(domain)],
            Self::Field(field)
            | Self::Distinct(field)
            | Self::Further(field)
            | Self::Commonest(field)
            | Self::ImageShare(field)
            | Self::PageRank(field)
            | Self::DomainRank(field)
            | Self::RefDomains(field)
            | Self::ForeignRefDomains(field)
            | Self::PageState { page: field, .. }
            | Self::Alike(field) => [Some(field), None, None],
        };
        fields.into_iter().flatten()
    }

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

    /// Whether it costs a look-up in the store per unit.
    pub fn is_lookup(self) -> bool {
        matches!(
            self,
            Self::PageRank(_)
                | Self::DomainRank(_)
                | Self::RefDomains(_)
                | Self::ForeignRefDomains(_)
                | Self::Overlap { .. }
                | Self::PageState { .. }
        )
    }
}

/// A table and, where the listing groups, its groups.
pub struct Frame<'a> {
    table: &'a Table,
    groups: Option<Groups>,
    look_up: &'a dyn LookUp,
    deadline: &'a Deadline,
}

impl<'a> Frame<'a> {
    /// Groups the table by the named fields; by none, every row stands for itself.
    ///
    /// # Errors
    /// [`QueryError::Declaration`] for a field that the table lacks.
    pub fn new(
        table: &'a Table,
        group_by: &[&str],
        look_up: &'a dyn LookUp,
        deadline: &'a Deadline,
    ) -> Result<Self, QueryError> {
        let keys = group_by.iter().map(|name| table.column(name)).collect::<Result<Vec<_>, _>>()?;
        let groups = (!keys.is_empty()).then(|| Groups::by(&keys, table.rows()));
        deadline.check()?;
        Ok(Self { table, groups, look_up, deadline })
    }

    pub(super) fn table(&self) -> &Table {
        self.table
    }

    pub(super) fn look_up(&self) -> &dyn LookUp {
        self.look_up
    }

    /// How many rows or groups there are.
    pub fn units(&self) -> usize {
        self.groups.as_ref().map_or(self.table.rows(), Groups::len)
    }

    /// All units, in their order.
    pub fn all(&self) -> Vec<u32> {
        (0..self.units() as u32).collect()
    }

    /// Works a column out for the units named: its row `i` belongs to `units[i]`.
    ///
    /// # Errors
    /// What a look-up or the deadline reports; [`QueryError::Declaration`] where rows and column do not fit.
    pub fn column(&self, compute: Compute, units: &[u32]) -> Result<Column, QueryError> {
        self.deadline.check()?;
        match compute {
            Compute::Field(name) => self.field(name, units),
            Compute::PageRank(name) => {
                let pages = self.field(name, units)?;
                self.looked_up(&pages, Meaning::Hundredths, |url| {
                    match CanonicalUrl::from_stored(url.to_owned()) {
                        Some(url) => Ok(u32::from(self.look_up.page_rank(&url)?.0)),
                        None => Ok(0),
                    }
                })
            }
            Compute::DomainRank(name) => {
                let domains = self.field(name, units)?;
                self.looked_up(&domains, Meaning::Hundredths, |domain| {
                    Ok(u32::from(self.look_up.domain_rank(domain)?.0))
                })
            }
            Compute::RefDomains(name) => {
                let pages = self.field(name, units)?;
                self.looked_up(&pages, Meaning::Number, |page| self.look_up.refdoms(page))
            }
            Compute::ForeignRefDomains(name) => self.foreign_refdoms(name, units),
            Compute::Overlap { shared, own, domain } => self.overlap(shared, own, domain, units),
            Compute::PageState { page, part } => self.page_state(page, part, units),
            Compute::Alike(name) => self.alike(name, units),
            Compute::RowNumber => Err(QueryError::Declaration("row number".to_owned())),
            _ => self.aggregate(compute, units),
        }
    }

    /// The values of a field.
    pub(super) fn field(&self, name: &str, units: &[u32]) -> Result<Column, QueryError> {
        let column = self.table.column(name)?;
        Ok(match &self.groups {
            None if is_every_row(units, self.table.rows()) => column.clone(),
            None => column.pick(units),
            Some(groups) => {
                let rows: Vec<u32> = units.iter().map(|&unit| groups.first_row[unit as usize]).collect();
                column.pick(&rows)
            }
        })
    }

    fn aggregate(&self, compute: Compute, units: &[u32]) -> Result<Column, QueryError> {
        let Some(groups) = &self.groups else {
            return Err(QueryError::Declaration(format!("{compute:?}")));
        };
        let sizes = || units.iter().map(|&unit| groups.sizes[unit as usize]);
        let asked = || Asked::new(groups, units);
        let field = |name| self.table.column(name);
        let number = |cells| Column::new(cells, Meaning::Number);
        Ok(match compute {
            Compute::Count => number(sizes().collect()),
            Compute::Percentage => {
                let total = self.table.rows() as u64;
                let shares = sizes().map(|size| percentage(u64::from(size), total));
                Column::new(shares.collect(), Meaning::Hundredths)
            }
            Compute::Distinct(name) => number(asked().distinct(field(name)?)),
            Compute::Further(name) => {
                let distinct = asked().distinct(field(name)?);
                number(distinct.into_iter().map(|count| count.saturating_sub(1)).collect())
            }
            Compute::Commonest(name) => field(name)?.with_cells(asked().commonest(field(name)?)),
            Compute::CommonestBeside { field: name, beside } => {
                field(name)?.with_cells(asked().commonest_beside(field(name)?, field(beside)?))
            }
            Compute::ImageShare(flag) => {
                let images = asked().flagged(field(flag)?);
                Column::of_texts(
                    images.into_iter().zip(sizes()).map(|(images, all)| image_share(images, all)),
                )
            }
            Compute::Field(_)
            | Compute::RowNumber
            | Compute::PageRank(_)
            | Compute::DomainRank(_)
            | Compute::RefDomains(_)
            | Compute::ForeignRefDomains(_)
            | Compute::Overlap { .. }
            | Compute::PageState { .. }
            | Compute::Alike(_) => {
                return Err(QueryError::Declaration(format!("{compute:?}")));
            }
        })
    }

    /// What is known of the names in a column, each looked up once.
    pub(super) fn looked_up(
        &self,
        names: &Column,
        meaning: Meaning,
        look_up: impl Fn(&str) -> Result<u32, QueryError>,
    ) -> Result<Column, QueryError> {
        let mut known: FxHashMap<u32, u32> = FxHashMap::default();
        let mut cells = Vec::with_capacity(names.cells().len());
        for (row, &code) in names.cells().iter().enumerate() {
            self.deadline.check_at(row)?;
            let cell = match (known.get(&code), names.meaning_of(code)) {
                (Some(&cell), _) => cell,
                (None, Value::Text(name)) => look_up(name)?,
                (None, _) => return Err(QueryError::Declaration("look-up of what is no text".to_owned())),
            };
            known.insert(code, cell);
            cells.push(cell);
        }
        Ok(Column::new(cells, meaning))
    }
}

/// Whether the units are all rows in their own order, so that a column serves as it is.
fn is_every_row(units: &[u32], rows: usize) -> bool {
    units.len() == rows && units.iter().zip(0..).all(|(&unit, row)| unit == row)
}

/// 100 × part / total in hundredths, rounded to the nearest, halves up.
pub(super) fn percentage(part: u64, total: u64) -> u32 {
    if total == 0 {
        return 0;
    }
    ((part * 20_000 + total) / (2 * total)) as u32
}

fn image_share(images: u32, all: u32) -> &'static str {
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
