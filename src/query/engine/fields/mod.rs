//! Fields: the named values that are read from each kind of row. Each file declares one kind, one field per
//! line.

pub(crate) mod backlinks;
pub(crate) mod competitors;
pub(crate) mod domain_changes;
pub(crate) mod domains;
pub(crate) mod hops;
pub(crate) mod outgoing;
pub(crate) mod pages;
pub(crate) mod referrers;

use std::net::IpAddr;

use self::backlinks::BACKLINK_FIELDS;
use self::competitors::COMPETITOR_FIELDS;
use self::domain_changes::DOMAIN_CHANGE_FIELDS;
use self::domains::DOMAIN_FIELDS;
use self::hops::HOP_FIELDS;
use self::outgoing::OUTGOING_FIELDS;
use self::pages::PAGE_FIELDS;
use self::referrers::REFERRER_FIELDS;
use super::column::ValueType;
use crate::model::Day;
use crate::urls::Suffixes;

/// The kind of rows that a listing shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RowKind {
    /// External links into the scope.
    Backlinks,
    /// Active external links on the scope's pages.
    Outgoing,
    /// The scope's pages that responded at least once.
    Pages,
    /// The domains that link to all of several scopes: [`crate::query::Intersection`].
    Referrers,
    /// The domains that share referring domains with the scope: [`crate::query::Scan::competitors`].
    Competitors,
    /// The days on which domains began or ceased to link to the scope: [`crate::query::Scan::domain_changes`].
    DomainChanges,
    /// The URLs of redirect chains: [`crate::query::Scan::redirect_chains`].
    Hops,
    /// The registrable domains of the whole index: [`crate::query::SiteIndex`].
    Domains,
}

impl RowKind {
    /// The type of a field's values; `None` for a field that the rows do not have.
    pub fn value_type_of(self, field: &str) -> Option<ValueType> {
        match (self, field) {
            (_, KEY) => Some(ValueType::Number),
            (Self::Backlinks | Self::Outgoing | Self::Domains, RANK) => Some(ValueType::Hundredths),
            (Self::Backlinks, _) => find(BACKLINK_FIELDS, field).map(Field::value_type),
            (Self::Outgoing, _) => find(OUTGOING_FIELDS, field).map(Field::value_type),
            (Self::Pages, _) => find(PAGE_FIELDS, field).map(Field::value_type),
            (Self::Referrers, _) => find(REFERRER_FIELDS, field).map(Field::value_type),
            (Self::Competitors, _) => find(COMPETITOR_FIELDS, field).map(Field::value_type),
            (Self::DomainChanges, _) => find(DOMAIN_CHANGE_FIELDS, field).map(Field::value_type),
            (Self::Hops, _) => find(HOP_FIELDS, field).map(Field::value_type),
            (Self::Domains, _) => find(DOMAIN_FIELDS, field).map(Field::value_type),
        }
    }

    /// Whether the store holds rows of this kind, so that an index of them can be built. Other rows are
    /// computed for each query.
    pub(in crate::query) fn is_stored(self) -> bool {
        match self {
            Self::Backlinks | Self::Outgoing | Self::Pages => true,
            Self::Referrers | Self::Competitors | Self::DomainChanges | Self::Hops | Self::Domains => false,
        }
    }

    /// The order in which a row set stores its rows, written as in `order[]`.
    pub(in crate::query) fn stored_order(self) -> &'static [&'static str] {
        match self {
            Self::Backlinks => &["-sr"],
            Self::Outgoing => &["-cdate"],
            _ => &[],
        }
    }
}

/// The field with the row's position in key order.
pub(crate) const KEY: &str = "key";

/// The field with the rank of the page that contains the link, or of the domain.
pub(crate) const RANK: &str = "sr";

/// A type of rows.
pub(crate) trait RowType: 'static {
    type Row<'a>;
}

/// A named value of every row.
pub(crate) struct Field<F: RowType> {
    pub name: &'static str,
    pub read: Read<F>,
}

/// How a field is read from a row.
pub(crate) enum Read<F: RowType> {
    Number(for<'a> fn(&F::Row<'a>) -> u32),
    Flag(for<'a> fn(&F::Row<'a>) -> bool),
    Day(for<'a> fn(&F::Row<'a>) -> Day),
    DayNumber(for<'a> fn(&F::Row<'a>) -> Day),
    Text(for<'a> fn(&'a F::Row<'a>, &'a Suffixes) -> &'a str),
    /// A part of another field's text. It is computed once for each distinct text.
    PartOf(&'static str, PartOf),
    Address(for<'a> fn(&F::Row<'a>) -> Option<IpAddr>),
}

/// Returns a part of a text.
pub(crate) type PartOf = for<'a> fn(&'a str, &Suffixes) -> &'a str;

impl<F: RowType> Field<F> {
    pub(crate) fn value_type(&self) -> ValueType {
        match self.read {
            Read::Number(_) => ValueType::Number,
            Read::Flag(_) => ValueType::Flag,
            Read::Day(_) => ValueType::Day,
            Read::DayNumber(_) => ValueType::DayNumber,
            Read::Text(_) | Read::PartOf(..) => ValueType::Text,
            Read::Address(_) => ValueType::Address,
        }
    }
}

/// The field with this name.
fn find<F: RowType>(fields: &'static [Field<F>], name: &str) -> Option<&'static Field<F>> {
    fields.iter().find(|field| field.name == name)
}

pub(in crate::query) const fn field<F: RowType>(name: &'static str, read: Read<F>) -> Field<F> {
    Field { name, read }
}
