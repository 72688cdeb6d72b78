"""A client for backlinkd, the open backlink index.

from backlinkd import Client, col

with Client("http://127.0.0.1:8080") as web:
    site = web["example.org"]
    print(site.summary().refdoms)
    for link in site.backlinks(where=(col.sr >= 3) & ~col.nofollow, order="-sr"):
        print(link.backlinkpage, link.linktext)
"""

from . import models
from ._async.client import AsyncClient
from ._async.crawl import AsyncCrawl
from ._async.rows import AsyncExport, AsyncListing, AsyncRows
from ._async.site import AsyncSite
from ._errors import (
    AnswerError,
    ApiError,
    BacklinkdError,
    BadRequest,
    Conflict,
    ConnectionFailed,
    NotAuthorized,
    NotFound,
    ServerError,
    ServerWarning,
    StateChangedError,
    StateChangedWarning,
    TooManyRequests,
    UnfinishedError,
    UnfinishedWarning,
)
from ._protocol import Retry
from ._query import ExportOptions, Facet, ListOptions, Page, Table
from ._record import AsOf, Record
from ._sync.client import Client
from ._sync.crawl import Crawl
from ._sync.rows import Export, Listing, Rows
from ._sync.site import Site
from ._version import VERSION as __version__
from ._where import ColumnName, Condition, col

__all__ = [
    "AnswerError",
    "ApiError",
    "AsOf",
    "AsyncClient",
    "AsyncCrawl",
    "AsyncExport",
    "AsyncListing",
    "AsyncRows",
    "AsyncSite",
    "BacklinkdError",
    "BadRequest",
    "Client",
    "ColumnName",
    "Condition",
    "Conflict",
    "ConnectionFailed",
    "Crawl",
    "Export",
    "ExportOptions",
    "Facet",
    "ListOptions",
    "Listing",
    "NotAuthorized",
    "NotFound",
    "Page",
    "Record",
    "Retry",
    "Rows",
    "ServerError",
    "ServerWarning",
    "Site",
    "StateChangedError",
    "StateChangedWarning",
    "Table",
    "TooManyRequests",
    "UnfinishedError",
    "UnfinishedWarning",
    "__version__",
    "col",
    "models",
]
