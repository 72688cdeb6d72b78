"""What the document cannot say of values: how those are made that fit it.

Formats that JSON Schema does not know are only names to a validator; here they get values that the API takes.
"""

import schemathesis
from hypothesis import strategies as st

LABEL = r"[a-z][a-z0-9]{0,8}"
ASKED = st.one_of(
    st.sampled_from(["a.example", "www.example.com", "example.com", "http://example.com/", "192.0.2.1", "bücher.example"]),
    st.from_regex(rf"(https?://)?{LABEL}\.(com|org|co\.uk)(/[a-z0-9]{{1,8}}(\?[a-z]=[0-9])?)?", fullmatch=True),
)
DAY = st.from_regex(r"20(1[0-9]|2[0-4])(0[1-9]|1[0-2])(0[1-9]|1[0-9]|2[0-8])", fullmatch=True)

schemathesis.openapi.format("url-host-or-domain", ASKED)
schemathesis.openapi.format("yyyyMMdd", DAY)
schemathesis.openapi.format("next-token", st.just(""))
# The fields and operators differ between endpoints; tests/api makes conditions of them.
schemathesis.openapi.format("where", st.just(""))


@schemathesis.hook
def filter_query(context, query):
    """An object in a query string is sent as the list of its keys, or as nothing, and so is no mistake any more."""
    return not any(isinstance(value, dict) for value in (query or {}).values())


@schemathesis.hook
def before_call(context, case, kwargs):
    """Tokens are signed, so none can be made up; and days stand in their order."""
    query = case.query or {}
    if query.get("next") == "":
        del query["next"]
    days = [query.get("from"), query.get("to")]
    if all(isinstance(day, str) and len(day) == 8 and day.isdecimal() for day in days):
        query["from"], query["to"] = sorted(days)
