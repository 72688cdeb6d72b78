"""Writes archives with warcio, and prints what is in them as JSON.

The bodies are chunked or not, and compressed or not, and the headers tell the truth about it or not: archives often hold
bodies decoded, with the headers as they were received.
"""

import gzip
import io
import json
import sys
import zlib

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter


def chunked(body):
    pieces = [body[at : at + 700] for at in range(0, len(body), 700)]
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n\r\n"


CODINGS = {None: lambda body: body, "gzip": gzip.compress, "deflate": zlib.compress}


def main(folder):
    expected = []
    files = [open(f"{folder}/made.warc.gz", "wb"), open(f"{folder}/made.warc", "wb")]
    writers = [WARCWriter(files[0], gzip=True, warc_version="1.1"), WARCWriter(files[1], gzip=False)]

    def write(kind, url, payload, headers, told, **fields):
        for writer in writers:
            record = writer.create_warc_record(
                url, kind, payload=io.BytesIO(payload), http_headers=headers, **fields
            )
            writer.write_record(record)
        expected.append({"type": kind, "url": url, "profile": None, "refers_to": None, **told})

    number = 0
    for coding, encode in CODINGS.items():
        for is_coded in (True, False):
            for names_chunks in (True, False):
                for is_chunked in (True, False):
                    text = f"<title>{number}</title>" + "".join(f"<p>line {n}</p>\n" for n in range(200))
                    body = encode(text.encode()) if is_coded else text.encode()
                    if is_chunked and names_chunks:
                        body = chunked(body)
                    fields = [("Content-Type", "text/html"), ("X-N", str(number))]
                    if coding:
                        fields.append(("Content-Encoding", coding))
                    if names_chunks:
                        fields.append(("Transfer-Encoding", "chunked"))
                    headers = StatusAndHeaders("200 OK", fields, protocol="HTTP/1.1")
                    write("response", f"http://a.test/{number}", body, headers, {"body": text})
                    number += 1
    write("resource", "urn:x:notes", b"notes", None, {}, warc_content_type="text/plain")
    for writer in writers:
        headers = StatusAndHeaders("200 OK", [("X-N", "0")], protocol="HTTP/1.1")
        record = writer.create_revisit_record(
            "http://a.test/r", "sha1:" + "A" * 32, "http://a.test/0", "2024-01-01T00:00:00Z", http_headers=headers
        )
        writer.write_record(record)
    profile = "identical-payload-digest"
    expected.append(
        {"type": "revisit", "url": "http://a.test/r", "profile": profile, "refers_to": "http://a.test/0"}
    )
    for file in files:
        file.close()
    print(json.dumps(expected))


main(sys.argv[1])
