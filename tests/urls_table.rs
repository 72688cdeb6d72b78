//! URLs against tables that others wrote: the URL Standard's own tests, four normalisers, the public suffix list.

#[path = "urls_table/canonical.rs"]
mod canonical;
#[path = "urls_table/scope.rs"]
mod scope;
#[path = "urls_table/suffixes.rs"]
mod suffixes;
#[path = "urls_table/surt.rs"]
mod surt;
#[path = "urls_table/tables.rs"]
mod tables;
