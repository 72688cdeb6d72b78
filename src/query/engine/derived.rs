//! Derived columns: computed from other columns of the same rows, mostly by lookups of their texts.

use hashbrown::HashMap;

use super::column::{Column, Encoding, Value};
use super::expression::{ColumnExpr, jaccard};
use super::link_visit::LinkDays;
use super::page_state::PageState;
use crate::query::lookup::NameLookup;
use crate::query::{Deadline, QueryError};

/// A lookup of one number per text.
type LookUpFn<'f> = dyn Fn(&[&str]) -> Result<Vec<u32>, QueryError> + 'f;

/// The column of an expression, computed from fields of the same rows. Each distinct text is looked up once.
///
/// # Errors
/// Errors of the lookup; [`QueryError::Declaration`] for an expression that needs more than one row.
pub(in crate::query) fn derive_column(
    expr: ColumnExpr,
    field: &dyn Fn(&str) -> Result<Column, QueryError>,
    lookup: &dyn NameLookup,
    deadline: &Deadline,
) -> Result<Column, QueryError> {
    let numbers = |name, lookup: &LookUpFn<'_>, encoding| {
        let texts = DistinctTexts::of(field(name)?, deadline)?;
        let distinct = Column::new(lookup(&texts.distinct())?, encoding);
        distinct.pick(&texts.positions, deadline)
    };
    match expr {
        ColumnExpr::Field(name) => field(name),
        ColumnExpr::PageRank(name) => numbers(name, &|urls| lookup.page_ranks(urls), Encoding::Hundredths),
        ColumnExpr::DomainRank(name) => {
            numbers(name, &|domains| lookup.domain_ranks(domains), Encoding::Hundredths)
        }
        ColumnExpr::RefDomains(name) => numbers(name, &|pages| lookup.refdoms(pages), Encoding::Number),
        ColumnExpr::ForeignRefDomains(name) => {
            numbers(name, &|domains| lookup.foreign_refdoms(domains), Encoding::Number)
        }
        ColumnExpr::JaccardIndex { common, scope_refdoms, domain } => {
            let others = derive_column(ColumnExpr::ForeignRefDomains(domain), field, lookup, deadline)?;
            Ok(jaccard_indexes(&field(common)?, &field(scope_refdoms)?, &others))
        }
        ColumnExpr::PageState { page, part } => {
            let texts = DistinctTexts::of(field(page)?, deadline)?;
            let outcomes = lookup.page_outcomes(&texts.distinct())?;
            let states = part.column(&outcomes.iter().map(PageState::from).collect::<Vec<_>>());
            states.pick(&texts.positions, deadline)
        }
        ColumnExpr::LinkVisit(part) => {
            let texts = DistinctTexts::of(field("backlinkpage")?, deadline)?;
            let outcomes = lookup.page_outcomes(&texts.distinct())?;
            let [active, updated, arrived] = [field("active")?, field("updDate")?, field("seenDate")?];
            part.column(&outcomes, &texts.positions, &LinkDays { active, updated, arrived }, deadline)
        }
        _ => Err(QueryError::Declaration(format!("{expr:?}"))),
    }
}

/// The Jaccard index of each row, from the sizes of the intersection and of both sides.
fn jaccard_indexes(common: &Column, scope_refdoms: &Column, others: &Column) -> Column {
    let cells = common.cells().iter().zip(scope_refdoms.cells().iter()).zip(others.cells().iter());
    let cells = cells.map(|((common, scope_refdoms), other)| jaccard(common, scope_refdoms, other));
    Column::new(cells.collect(), Encoding::TenThousandths)
}

/// The distinct texts of a column.
struct DistinctTexts {
    column: Column,
    codes: Vec<u32>,
    /// For each row, the index of its text in `codes`.
    positions: Vec<u32>,
}

impl DistinctTexts {
    fn of(column: Column, deadline: &Deadline) -> Result<Self, QueryError> {
        let (mut codes, mut known) = (Vec::new(), HashMap::new());
        let mut positions = Vec::with_capacity(column.rows());
        for (row, code) in column.cells().iter().enumerate() {
            deadline.check_at(row)?;
            positions.push(*known.entry(code).or_insert_with(|| {
                codes.push(code);
                codes.len() as u32 - 1
            }));
        }
        if column.dictionary_len().is_none() {
            return Err(QueryError::Declaration("a lookup by a column without texts".to_owned()));
        }
        Ok(Self { column, codes, positions })
    }

    fn distinct(&self) -> Vec<&str> {
        let text = |&code: &u32| match self.column.decode(code) {
            Value::Text(text) => text,
            _ => "",
        };
        self.codes.iter().map(text).collect()
    }
}
