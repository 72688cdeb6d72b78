// The crawl of this server: how fast it goes, what it waits for and fails at, and the levers to steer it.

import { Fragment } from 'preact';
import type { ComponentChildren } from 'preact';
import { useState } from 'preact/hooks';
import { Failure, forget, Param, path, post, Reply, Row, retryAll, useAnswer } from '../core/api';
import { ago, bytes, compact, Key, number, t } from '../core/i18n';
import { go, here, href, query } from '../core/route';
import { Address, Bar, Crawled, Icon, Name } from '../parts/bits';
import { tagName } from '../parts/cells';
import { Server } from '../parts/explained';
import { copy, Corner, say } from '../parts/menu';
import { Problem, Skeleton } from '../parts/states';
import { Pager } from '../parts/table';
import { operates } from '../session';

export function Crawl() {
  const { data, failure, loading } = useAnswer('/crawl', 4000);
  if (failure && !loading && !data) return <Problem failure={failure}>{failure.status === 404 && <p>{t('state.absent.hint')}</p>}</Problem>;
  if (!data) return <Skeleton lines={14} />;
  const may = operates();
  return (
    <section class="crawl" aria-label={t('nav.crawl')}>
      <header class="listhead">
        <h1>{t('nav.crawl')}</h1>
        <span class="state"><span class={`dot ${data.state}`} aria-hidden="true" /> <b>{t(`crawl.${data.state}` as Key)}</b>{data.since && data.state !== 'none' && <span class="muted"> {t('crawl.since', { when: ago(new Date(data.since)) })}</span>}</span>
        {data.state !== 'none' && may && (
          <span class="tools">
            {data.state === 'paused' ? <Lever to="crawl/resume" name={t('crawl.resume')} primary /> : <Lever to="crawl/pause" name={t('crawl.pause')} />}
            <Lever to="crawl/rank" name={data.ranking ? t('crawl.ranking') : t('crawl.rank')} disabled={data.ranking} />
            <Corner title={t('nav.crawl')} asked={{ endpoint: 'crawl', params: [], rows: false }} />
          </span>
        )}
      </header>
      {data.reason && <p class="note bad" role="status">{data.reason}</p>}
      {!may && <p class="hint muted">{t('crawl.readonly')}</p>}
      {data.state === 'none' ? <None /> : <Figures data={data} />}
      <Hosts />
      {data.state === 'none' ? <Errors /> : may && <Levers />}
    </section>
  );
}

function None() {
  const command = 'backlinkd run --seeds seeds.txt';
  return (
    <div class="card note empty">
      <strong>{t('crawl.none.here')}</strong>
      <p>{t('crawl.none.hint')}</p>
      <p class="command"><code>{command}</code><button type="button" class="plain" onClick={() => copy(command)}>{t('action.copy')}</button></p>
    </div>
  );
}

type Counts = Record<string, number>;

const sum = (counts: Counts = {}): number => Object.values(counts).reduce((all, one) => all + one, 0);

/** Counts by name, the largest first, each with its share of all. */
function Shares({ counts, all, none }: { counts: [string, number][]; all: number; none: string }) {
  if (!counts.length) return <p class="muted nothing">{none}</p>;
  return (
    <ul class="items">
      {counts.toSorted((a, b) => b[1] - a[1]).map(([name, count]) => (
        <li key={name}><span class="back" aria-hidden="true" style={{ inlineSize: `${(100 * count) / (all || 1)}%` }} /><span class="grow">{tagName(name)}</span><span class="figure">{number(count)}</span><span class="figure share">{number((100 * count) / (all || 1), 1)} %</span></li>
      ))}
    </ul>
  );
}

function Figures({ data }: { data: Reply }) {
  const visits = Number(data.visits ?? 0);
  const failed: Counts = data.failedRequests ?? {};
  const figure = (name: Key, value: number, subs: ComponentChildren[] = []) => (
    <div class="card kpi"><h2>{t(name)}</h2><p class="big" title={number(value)}>{compact(value)}</p>{subs.map((sub, index) => sub && <p key={index} class="sub">{sub}</p>)}</div>
  );
  return (
    <>
      <div class="cards">
        <div class="card kpi rate"><h2>{t('crawl.pages')}</h2><p class="big">{number(data.pagesPerSecond ?? 0, data.pagesPerSecond < 10 ? 1 : 0)}</p><Spark values={data.rate ?? []} /></div>
        {figure('crawl.flight', data.fetchesInFlight ?? 0, [t('crawl.fetchers.of', { n: data.fetchers ?? 0 }), data.slowFetches ? t('crawl.slow', { n: data.slowFetches }) : ''])}
        {figure('crawl.queued', data.queued ?? 0)}
        {figure('crawl.fetched', data.fetched ?? 0, [t('crawl.known', { n: data.known ?? 0 }), data.rankGeneration ? t('crawl.generation', { n: data.rankGeneration }) : t('stats.unranked')])}
        <div class="card kpi"><h2>{t('crawl.disk')}</h2><p class="big">{bytes(data.diskFreeBytes ?? 0)}</p></div>
      </div>
      <div class="grid three">
        <section class="card block visits"><header><h2>{t('crawl.visits')} <span class="total">{number(visits)}</span></h2></header><Shares counts={[...Object.entries<number>(data.responses ?? {}), ...Object.entries<number>(data.failures ?? {})].filter(([, count]) => count > 0)} all={visits} none={t('crawl.novisits')} /></section>
        <section class="card block failed"><header><h2>{t('crawl.failures')} <span class="total">{number(sum(failed))}</span></h2></header><Shares counts={Object.entries<number>(failed)} all={sum(failed)} none={t('crawl.nofailures')} /></section>
        <Errors />
      </div>
    </>
  );
}

function Spark({ values }: { values: number[] }) {
  if (values.length < 2) return null;
  const most = Math.max(...values, 1);
  const points = values.map((value, index) => `${((index * 120) / (values.length - 1)).toFixed(1)},${(26 - (24 * value) / most).toFixed(1)}`).join(' ');
  return <svg class="spark" viewBox="0 0 120 28" preserveAspectRatio="none" role="img" aria-label={t('crawl.sparkline')}><polygon points={`0,28 ${points} 120,28`} /><polyline points={points} /></svg>;
}

const ROWS = 25;

function Hosts() {
  const q = query.value;
  const order = q.get('order') ?? '-queued';
  const offset = Number(q.get('offset')) || 0;
  const limit = Math.max(1, Math.min(1000, Number(q.get('limit')) || ROWS));
  const find = q.get('q') ?? '';
  const params: Param[] = [['order[]', order], ['limit', String(limit)]];
  if (offset) params.push(['offset', String(offset)]);
  if (find) params.push(['q', find]);
  const { data, failure, loading } = useAnswer(path('crawl/hosts', params), 6000);
  const [open, setOpen] = useState<string | null>(null);
  if (failure?.status === 404) return null;
  const hosts: Row[] = data?.hosts ?? [];
  const cells: Record<string, (host: Row) => ComponentChildren> = {
    queued: (host) => number(host.queued ?? 0),
    fetched: (host) => number(host.fetched ?? 0),
    budget: (host) => (host.budget ? <span class="percent">{number(host.budget)} <Bar share={(100 * (host.fetched ?? 0)) / host.budget} /></span> : '–'),
    delay: (host) => t('crawl.seconds', { n: host.delay ?? 0 }),
    lastFetch: (host) => (host.lastFetch ? ago(new Date(host.lastFetch)) : '–'),
    state: (host) => <>{tagName(host.state)}{host.reason && <span class="muted"> · {tagName(host.reason)}</span>}</>,
  };
  const figures = ['queued', 'fetched', 'budget', 'delay'];
  const name = (field: string) => t(`field.${field}` as Key);
  return (
    <section class="card block hosts" aria-busy={!data && loading}>
      <header><h2>{t('crawl.hosts')} {data && <span class="total">{number(data.count ?? hosts.length)}</span>}</h2>
        <input type="search" aria-label={t('crawl.hosts.find')} placeholder={t('crawl.hosts.find')} value={find} onChange={(event) => go(here({ q: event.currentTarget.value.trim() }), true)} /></header>
      {!data ? <Skeleton lines={6} /> : !hosts.length ? <p class="muted nothing">{t(find ? 'empty.filtered' : 'crawl.nohosts')}</p> : (
        <div class="scroll" tabIndex={0} role="region" aria-label={t('crawl.hosts')}>
          <table role="table" class="rows">
            <thead role="rowgroup"><tr role="row"><th role="columnheader" class="opener"><span class="unseen">{t('crawl.explain')}</span></th>{['host', ...Object.keys(cells)].map((field) => <th key={field} role="columnheader" scope="col" class={figures.includes(field) ? 'figure' : ''} aria-sort={order === field ? 'ascending' : order === `-${field}` ? 'descending' : undefined}><a href={here({ order: order === `-${field}` ? field : `-${field}` })}>{name(field)}<span class="arrow" aria-hidden="true">{order === field ? '▲' : order === `-${field}` ? '▼' : ''}</span></a></th>)}</tr></thead>
            <tbody role="rowgroup">{hosts.map((host) => (
              <Fragment key={host.host}>
                <tr role="row" data-row tabIndex={-1}>
                  <td role="cell" class="opener"><button type="button" class="plain" aria-expanded={open === host.host} aria-label={`${t('crawl.explain')}: ${host.host}`} onClick={() => setOpen(open === host.host ? null : host.host)}><Icon name="right" /></button></td>
                  <td role="cell" class="first"><a data-main href={href({ url: host.host })}><Name name={host.host} /></a></td>
                  {Object.entries(cells).map(([field, cell]) => <td key={field} role="cell" class={`small c-${field}${figures.includes(field) ? ' figure' : ''}`} data-label={name(field)}>{cell(host)}</td>)}
                </tr>
                {open === host.host && <tr role="row" class="opened"><td role="cell" colSpan={8}><Host name={host.host} /></td></tr>}
              </Fragment>
            ))}</tbody>
          </table>
        </div>
      )}
      {data && (data.count ?? 0) > Math.min(limit, ROWS) && <footer class="tablefoot"><Pager data={{ ...data, response: hosts }} limit={limit} offset={offset} usual={ROWS} /></footer>}
    </section>
  );
}

/** What is known of the servers of a host. */
function Host({ name }: { name: string }) {
  const { data, failure } = useAnswer(path('host', [['host', name]]));
  if (failure) return <Problem failure={failure} />;
  if (!data) return <Skeleton lines={3} />;
  const servers: Row[] = Array.isArray(data) ? data : (data.servers ?? data.response ?? []);
  return <>{servers.map((server) => <Server key={server.origin} server={server} />)}</>;
}

function Errors() {
  const kind = query.value.get('kind') ?? '';
  const { data, failure } = useAnswer(path('crawl/errors', [['limit', '200'], ...(kind ? [['kind', kind] as [string, string]] : [])]), 10_000);
  const [kinds, setKinds] = useState<string[]>([]);
  if (failure?.status === 404) return null;
  const errors: Record<string, string>[] = data?.errors ?? [];
  const found = [...new Set([...kinds, ...errors.map((error) => error.kind!)])].sort();
  if (found.length > kinds.length) setKinds(found);
  return (
    <section class="card block">
      <header><h2>{t('crawl.errors')}</h2>
        <select aria-label={t('field.kind')} value={kind} onChange={(event) => go(here({ kind: event.currentTarget.value }), true)}><option value="">{t('crawl.errors.all')}</option>{found.map((one) => <option key={one} value={one}>{tagName(one)}</option>)}</select></header>
      {!data ? <Skeleton lines={6} /> : errors.length ? (
        <ul class="items long" tabIndex={0}>{errors.map((error, index) => (
          <li key={index}><span class="muted mono when">{error.time?.slice(11, 19)}</span><span class="badge warn">{tagName(error.kind ?? '')}</span><span class="grow two">{/^https?:/.test(error.url ?? '') ? <a href={href({ url: error.url!, view: 'page' })}><Address address={error.url!} /></a> : <Crawled text={error.url} />}<span class="muted"><Crawled text={error.message} /></span></span></li>
        ))}</ul>
      ) : <p class="muted nothing">{t('crawl.noerrors')}</p>}
    </section>
  );
}

function Lever({ to, name, body, primary, disabled, done }: { to: string; name: string; body?: () => unknown; primary?: boolean; disabled?: boolean; done?: () => void }) {
  const [busy, setBusy] = useState(false);
  const press = async () => {
    setBusy(true);
    try {
      await post(`/${to}`, body ? body() : {});
      say(t('crawl.done'));
      done?.();
      forget();
      retryAll();
    } catch (error) {
      const failure = error as Failure;
      if (![0, 401, 429, 503].includes(failure.status)) say(failure.message);
    }
    setBusy(false);
  };
  return <button type="button" class={primary ? 'primary' : ''} disabled={busy || disabled} onClick={press}>{name}</button>;
}

function Levers() {
  const [seeds, setSeeds] = useState('');
  const [blocks, setBlocks] = useState('');
  const [again, setAgain] = useState('');
  const lines = (text: string) => text.split(/[\s,]+/).filter(Boolean);
  const area = (title: string, lead: string, value: string, set: (text: string) => void) => <label>{title}<textarea rows={3} placeholder={lead} value={value} spellcheck={false} onInput={(event) => set(event.currentTarget.value)} /></label>;
  return (
    <section class="card block levers">
      <header><h2>{t('crawl.levers')}</h2></header>
      <div class="grid three">
        <div>
          {area(t('crawl.seeds'), t('crawl.seeds.lead'), seeds, setSeeds)}
          <p><Lever to="crawl/seeds" name={t('crawl.seeds.add')} disabled={!seeds.trim()} body={() => ({ urls: lines(seeds) })} done={() => setSeeds('')} /></p>
        </div>
        <div>
          {area(t('crawl.recrawl'), t('crawl.recrawl.lead'), again, setAgain)}
          <p><Lever to="crawl/recrawl" name={t('crawl.recrawl')} disabled={!again.trim()} body={() => ({ urls: lines(again) })} done={() => setAgain('')} /></p>
        </div>
        <div>
          {area(t('crawl.blocks'), t('crawl.blocks.lead'), blocks, setBlocks)}
          <p><Lever to="crawl/blocks" name={t('crawl.blocks.add')} disabled={!blocks.trim()} body={() => ({ add: lines(blocks), remove: [] })} done={() => setBlocks('')} /> <Lever to="crawl/blocks" name={t('crawl.blocks.remove')} disabled={!blocks.trim()} body={() => ({ add: [], remove: lines(blocks) })} done={() => setBlocks('')} /></p>
        </div>
      </div>
    </section>
  );
}
