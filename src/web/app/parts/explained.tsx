// What the crawler knows of a URL and of its server: why it is not fetched, when it is visited next, how it was treated.

import type { ComponentChildren } from 'preact';
import { path, Row, useAnswer } from '../core/api';
import { clock, day, number, t, toDay } from '../core/i18n';
import { Crawled, Status } from './bits';

/** A time in Unix seconds. */
export function moment(seconds: number | null | undefined): string {
  if (!seconds) return '';
  const date = new Date(seconds * 1000);
  return `${day(toDay(date))}, ${clock(date.toISOString())}`;
}

export function Facts({ facts }: { facts: [string, ComponentChildren, ('whole' | '')?][] }) {
  return (
    <dl class="facts">
      {facts.map(([name, value, kind]) => (value || value === 0 ? <div key={name} class={kind}><dt>{name}</dt><dd>{value}</dd></div> : null))}
    </dl>
  );
}

/** Why a URL is not fetched now, in the server's sentences. */
export function Reasons({ url }: { url: string }) {
  const { data } = useAnswer(path('explain', [['url', url]]));
  const reasons: string[] = report(data)?.reasons ?? [];
  if (!reasons.length) return null;
  return <ul class="reasons" lang="en">{reasons.map((reason) => <li key={reason}><Crawled text={reason} /></li>)}</ul>;
}

export function Explained({ url }: { url: string }) {
  const { data } = useAnswer(path('explain', [['url', url]]));
  const found = report(data);
  if (!found) return null;
  const { page, queued, server } = found;
  return (
    <details class="more" open>
      <summary>{t('page.explain')}</summary>
      <Reasons url={url} />
      <Facts facts={[
        [t('page.last'), page ? <>{moment(page.visited)} <Status code={page.status} failure={page.failure} /></> : t('page.unknown')],
        [t('page.next'), moment(page?.next_visit)],
        [t('page.cause'), found.cause && <span lang="en"><Crawled text={found.cause} /></span>],
        [t('page.queue'), queued && `${queued.kind}${queued.failed_attempts ? `, ${t('page.attempts', { n: queued.failed_attempts })}` : ''}`],
        [t('page.depth'), (page ?? queued)?.depth],
      ]} />
      {server && <Server server={server} />}
    </details>
  );
}

/** How one origin is treated, and how its last visits went. */
export function Server({ server }: { server: Row }) {
  const { robots, budget } = server;
  const rule = robots && `${robots.allowed === false ? t('server.refused') : robots.allowed ? t('server.allowed') : ''}${robots.line ? ` (${t('server.line', { n: robots.line })})` : ''}`;
  return (
    <Facts facts={[
      [t('server.origin'), <span class="mono">{server.origin}</span>],
      [t('field.delay'), t('crawl.seconds', { n: server.delay_seconds ?? 0 })],
      [t('field.queued'), number(server.queued ?? 0)],
      [t('server.blocked'), server.blocked && t('yes')],
      [t('server.asleep'), moment(server.asleep_until)],
      ['robots.txt', rule],
      [t('field.budget'), budget && t('server.budget', { n: budget.pages, of: budget.most })],
      [t('server.visits'), server.last_visits?.length > 0 && <span class="outcomes">{server.last_visits.map((visit: Row, index: number) => <span key={index} title={moment(visit.at)}><Status code={/^\d+$/.test(visit.outcome) ? Number(visit.outcome) : 0} failure={visit.outcome} /></span>)}</span>, 'whole'],
      [t('crawl.errors'), server.failures?.length > 0 && <ul lang="en">{server.failures.slice(-5).reverse().map((failure: Row, index: number) => <li key={index}><span class="muted">{moment(failure.at)}</span> {failure.kind}: <Crawled text={failure.cause} /> · <Crawled text={failure.url} /></li>)}</ul>, 'whole'],
    ]} />
  );
}

function report(data: Row | undefined): Row | undefined {
  const found = data?.response ?? data;
  return Array.isArray(found) ? found[0] : found;
}
