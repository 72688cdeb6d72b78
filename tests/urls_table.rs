//! URLs, compared with external tables: the URL Standard's own tests, four normalisers, the public suffix list.

mod canonical;
mod scope;
mod sessions;
mod suffixes;
mod surt;
mod tables;
