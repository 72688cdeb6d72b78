//! Columns that are looked up by the texts of others.

use rustc_hash::FxHashMap;

use super::column::{Column, Meaning, Value};
use super::competitors::jaccard;
use super::compute::Compute;
use super::lookup::LookUp;
use super::{Deadline, QueryError};

/// A number for each of some texts.
type Found<'f> = dyn Fn(&[&str]) -> Result<Vec<u32>, QueryError> + 'f;

/// A column worked out of the fields of the same rows; a text is looked up once, however many rows have it.
///
/// # Errors
/// What the look-up reports; [`QueryError::Declaration`] for what cannot be worked out row by row.
pub(super) fn looked_up(
    compute: Compute,
    field: &dyn Fn(&str) -> Result<Column, QueryError>,
    look_up: &dyn LookUp,
    deadline: &Deadline,
) -> Result<Column, QueryError> {
    let numbers = |name, found: &Found<'_>, meaning| {
        let names = Names::of(field(name)?, deadline)?;
        let found = Column::new(found(&names.distinct())?, meaning);
        found.pick(&names.places, deadline)
    };
    match compute {
        Compute::Field(name) => field(name),
        Compute::PageRank(name) => numbers(name, &|urls| look_up.page_ranks(urls), Meaning::Hundredths),
        Compute::DomainRank(name) => numbers(name, &|names| look_up.domain_ranks(names), Meaning::Hundredths),
        Compute::RefDomains(name) => numbers(name, &|pages| look_up.refdoms(pages), Meaning::Number),
        Compute::ForeignRefDomains(name) => {
            numbers(name, &|domains| look_up.foreign_refdoms(domains), Meaning::Number)
        }
        Compute::Overlap { shared, own, domain } => {
            let others = looked_up(Compute::ForeignRefDomains(domain), field, look_up, deadline)?;
            let (shared, own) = (field(shared)?, field(own)?);
            let cells = shared.cells().iter().zip(own.cells().iter()).zip(others.cells().iter());
            let cells = cells.map(|((shared, own), other)| jaccard(shared, own, other));
            Ok(Column::new(cells.collect(), Meaning::TenThousandths))
        }
        Compute::PageState { page, part } => {
            let names = Names::of(field(page)?, deadline)?;
            let states = part.column(&look_up.page_states(&names.distinct())?);
            states.pick(&names.places, deadline)
        }
        _ => Err(QueryError::Declaration(format!("{compute:?}"))),
    }
}

/// The texts of a column, each once.
struct Names {
    column: Column,
    codes: Vec<u32>,
    /// The place of each row's text among the codes.
    places: Vec<u32>,
}

impl Names {
    fn of(column: Column, deadline: &Deadline) -> Result<Self, QueryError> {
        let (mut codes, mut known) = (Vec::new(), FxHashMap::default());
        let mut places = Vec::with_capacity(column.rows());
        for (row, code) in column.cells().iter().enumerate() {
            deadline.check_at(row)?;
            places.push(*known.entry(code).or_insert_with(|| {
                codes.push(code);
                codes.len() as u32 - 1
            }));
        }
        if column.codes().is_none() {
            return Err(QueryError::Declaration("a look-up of what is no text".to_owned()));
        }
        Ok(Self { column, codes, places })
    }

    fn distinct(&self) -> Vec<&str> {
        let text = |&code: &u32| match self.column.meaning_of(code) {
            Value::Text(text) => text,
            _ => "",
        };
        self.codes.iter().map(text).collect()
    }
}
