"""Scrapy with backlinkd's task: all pages of the given hosts, and of each page every link with tag, target, anchor text
and rel. The links are counted and discarded.

    scrapy_peer.py link-extractor|lxml USER_AGENT URL…

`link-extractor` extracts links as in Scrapy's documentation. `lxml` is an expert's fast version: it walks the parsed
tree directly and creates requests only for new URLs. The settings are those of Scrapy's guide on broad crawls, and
robots.txt is obeyed. The last line of the output is JSON: {"pages": 1, "links": 1, "bytes": 1}.
"""

import json
import sys
from urllib.parse import urldefrag, urljoin, urlsplit

import scrapy
from scrapy.crawler import CrawlerProcess
from scrapy.http import HtmlResponse
from scrapy.linkextractors.lxmlhtml import LxmlLinkExtractor

SETTINGS = {
    "ROBOTSTXT_OBEY": True,
    "CONCURRENT_REQUESTS": 64,
    "CONCURRENT_REQUESTS_PER_DOMAIN": 8,
    "DOWNLOAD_DELAY": 0,
    "SCHEDULER_PRIORITY_QUEUE": "scrapy.pqueues.DownloaderAwarePriorityQueue",
    "REACTOR_THREADPOOL_MAXSIZE": 20,
    "COOKIES_ENABLED": False,
    "RETRY_ENABLED": False,
    "DOWNLOAD_TIMEOUT": 30,
    "TELNETCONSOLE_ENABLED": False,
    "LOG_LEVEL": "ERROR",
    # Breadth first, as backlinkd.
    "DEPTH_PRIORITY": 1,
    "SCHEDULER_DISK_QUEUE": "scrapy.squeues.PickleFifoDiskQueue",
    "SCHEDULER_MEMORY_QUEUE": "scrapy.squeues.FifoMemoryQueue",
}

REFERENCES = {"a": "href", "area": "href", "iframe": "src", "frame": "src"}


class Peer(scrapy.Spider):
    name = "peer"

    def __init__(self, seeds, **kwargs):
        super().__init__(**kwargs)
        self.start_urls = seeds
        self.hosts = {urlsplit(seed).hostname for seed in seeds}
        self.allowed_domains = sorted(self.hosts)
        self.found = {"pages": 0, "links": 0, "bytes": 0}

    def count(self, response, links):
        self.found["pages"] += 1
        self.found["links"] += len(links)
        self.found["bytes"] += len(response.body)


class ByLinkExtractor(Peer):
    """`LxmlLinkExtractor` returns URL, text and nofollow; it runs once per tag, to know the tag's name."""

    extractors = {
        tag: LxmlLinkExtractor(tags=(tag,), attrs=(attribute,), unique=False, deny_extensions=())
        for tag, attribute in REFERENCES.items()
    }

    def parse(self, response):
        if not isinstance(response, HtmlResponse):
            return
        links = [(tag, link) for tag, extractor in self.extractors.items() for link in extractor.extract_links(response)]
        self.count(response, links)
        for _, link in links:
            if urlsplit(link.url).hostname in self.hosts:
                yield response.follow(link)


class ByLxml(Peer):
    asked = set()

    def parse(self, response):
        if not isinstance(response, HtmlResponse):
            return
        root = response.selector.root
        base = response.url
        links, targets = [], []
        for element in root.iter("base", *REFERENCES):
            if element.tag == "base":
                base = urljoin(response.url, element.get("href", ""))
                continue
            reference = element.get(REFERENCES[element.tag])
            if reference is None:
                continue
            try:
                target = urldefrag(urljoin(base, reference.strip())).url
            except ValueError:
                continue
            if target.startswith(("http://", "https://")):
                links.append((element.tag, target, " ".join("".join(element.itertext()).split()), element.get("rel")))
                targets.append(target)
        self.count(response, links)
        for target in targets:
            if target not in self.asked:
                self.asked.add(target)
                if urlsplit(target).hostname in self.hosts:
                    yield scrapy.Request(target)


def main():
    spiders = {"link-extractor": ByLinkExtractor, "lxml": ByLxml}
    if len(sys.argv) < 4 or sys.argv[1] not in spiders:
        sys.exit("usage: scrapy_peer.py link-extractor|lxml USER_AGENT URL…")
    process = CrawlerProcess(SETTINGS | {"USER_AGENT": sys.argv[2]})
    crawler = process.create_crawler(spiders[sys.argv[1]])
    process.crawl(crawler, seeds=sys.argv[3:])
    process.start()
    print(json.dumps(crawler.spider.found))


if __name__ == "__main__":
    main()
