//! `/session`: signs a user in (POST) and out (DELETE), and says who is signed in (GET).
//!
//! Signing in gives the cookie of a session, which the web page uses instead of HTTP Basic. GET takes any credentials;
//! the name is null while there are no users. Without credentials that count, `signIn` is true and nothing else is said, so
//! that the page can ask for a password before it asks for anything else.

use crate::api::openapi::schema::{BodySchema, ReplySchema, Schema};
use crate::api::{Docs, Endpoint, Handler, Topic, Verb};

pub static ENDPOINT: Endpoint =
    Endpoint::new("session", DOCS, &[Verb::Get, Verb::Post, Verb::Delete], Handler::Session)
        .with_parameters(&[])
        .with_reply(ReplySchema::Object(&[
            ("name", Schema::OptionalText),
            ("roles", Schema::List(&Schema::Words(&["read", "operate"]))),
            ("signIn", Schema::Flag),
        ]))
        .with_body(BodySchema {
            schema: Schema::OpenObject(&[("name", Schema::Text), ("password", Schema::Text)]),
            example: r#"{"name": "alice", "password": "correct horse"}"#,
        });

const DOCS: Docs = Docs {
    topic: Topic::Operations,
    summary: "Sign-in with a cookie",
    description: "GET says who sends the request, and which roles the credentials have; without any, `signIn` says whether \
                  they are needed. POST signs a user \
                  in and sets the cookie of a session, which the page at `/` uses. DELETE signs out.",
};
