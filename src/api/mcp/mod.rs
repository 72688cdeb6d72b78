//! The tools for agents, by the Model Context Protocol (MCP, modelcontextprotocol.io).
//!
//! A tool is a declaration ([`catalog`]): an endpoint, and which of its parameters are arguments. A call becomes one GET
//! request ([`call`]), and its reply becomes the answer ([`answer`]). No figure is computed here, so a tool and its
//! endpoint never differ. The request is made by an [`ApiClient`]: in this process, or over HTTP to another one.
//!
//! Clients reach the tools over HTTP ([`http_transport`]) or over standard input and output ([`stdio`]).

mod answer;
mod argument;
mod call;
mod catalog;
mod client;
pub(super) mod http_transport;
mod local_client;
mod server;
mod stdio;
mod tool;

pub use client::{ApiAnswer, ApiClient};
pub use server::ToolSettings;
pub use stdio::{ToolServerError, serve_tools, serve_tools_through};
