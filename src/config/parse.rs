//! `[parse]`: how much of a page is extracted.

use serde::{Deserialize, Serialize};

use super::at_least;

/// See `config/default.toml` for units and reasons.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ParseConfig {
    /// Links taken from one page; the rest is dropped.
    pub max_links: usize,
    /// Bytes that the links of one page take; the rest is dropped.
    pub max_links_bytes: usize,
    /// Characters of an anchor text.
    pub max_anchor_chars: usize,
    /// Characters of a title.
    pub max_title_chars: usize,
    /// Characters of a description.
    pub max_description_chars: usize,
    /// Bytes examined to detect the encoding of a page that declares none.
    pub charset_sample_bytes: usize,
    /// Elements open at once; further start tags are dropped and their content is kept.
    pub max_open_elements: usize,
    /// Elements, texts and comments of one page's tree; the rest of the page is dropped.
    pub max_nodes: usize,
    /// Attributes of one tag; a page is cut before a tag with more.
    pub max_attributes: usize,
    /// Share of pages that are read a second time with scraper, from 0 to 1.
    pub check_share: f64,
    /// Bytes of a body up to which it is read a second time.
    pub check_max_bytes: usize,
}

impl Default for ParseConfig {
    fn default() -> Self {
        Self {
            max_links: 100_000,
            max_links_bytes: 8 << 20,
            max_anchor_chars: 512,
            max_title_chars: 512,
            max_description_chars: 1_024,
            charset_sample_bytes: 64 << 10,
            max_open_elements: 512,
            max_nodes: 1_000_000,
            max_attributes: 1_000,
            check_share: 0.001,
            check_max_bytes: 256 << 10,
        }
    }
}

impl ParseConfig {
    pub(super) fn validate(&self) -> Result<(), String> {
        at_least("parse.max_links", self.max_links as u64, 1)?;
        at_least("parse.max_links_bytes", self.max_links_bytes as u64, 65_536)?;
        at_least("parse.charset_sample_bytes", self.charset_sample_bytes as u64, 1_024)?;
        at_least("parse.max_open_elements", self.max_open_elements as u64, 64)?;
        at_least("parse.max_nodes", self.max_nodes as u64, 1_000)?;
        at_least("parse.max_attributes", self.max_attributes as u64, 64)?;
        if !(0.0..=1.0).contains(&self.check_share) {
            return Err(format!("parse.check_share is {}; give a share from 0 to 1", self.check_share));
        }
        Ok(())
    }
}
