// The crawl of this server: how fast it goes, what it waits for and fails at, and the levers to steer it.

import { Fragment } from 'preact';
import { useState } from 'preact/hooks';
import { Failure, forget, path, post, Reply, Row, retryAll, useAnswer } from '../core/api';
import { ago, bytes, compact, Key, number, t } from '../core/i18n';
import { go, here, href, query } from '../core/route';
import { Bar, Crawled, Icon } from '../parts/bits';
import { tagName } from '../parts/cells';
import { Server } from '../parts/explained';
import { copy, Corner, say } from '../parts/menu';
import { Problem, Skeleton } from '../parts/states';
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
      {data.state === 'none' ? (
        <div class="card note empty"><strong>{t('crawl.none')}</strong><p>{t('crawl.none.hint')} <code>backlinkd run --seeds seeds.txt</code> <button type="button" class="plain" onClick={() => copy('backlinkd run --seeds seeds.txt')}>{t('action.copy')}</button></p></div>
      ) : <Figures data={data} />}
      <Hosts />
      <div class="grid two">
        <Errors />
        {may && data.state !== 'none' && <Levers />}
      </div>
    </section>
  );
}

function Figures({ data }: { data: Reply }) {
  const sum = (counts: Record<string, number> = {}): number => Object.values(counts).reduce((all, one) => all + one, 0);
  const known = Number(data.known ?? 0);
  const answered = sum(data.responses as Record<string, number>);
  const failed = sum(data.failures as Record<string, number>);
  const all = answered + failed || 1;
  const shares = (counts: Record<string, number> = {}) => Object.entries<number>(counts).sort((a, b) => b[1] - a[1]).map(([name, count]) => (
    <li key={name}><span class="grow">{tagName(name)}</span><span class="figure">{compact(count)}</span><span class="back" aria-hidden="true" style={{ inlineSize: `${(100 * count) / all}%` }} /><span class="figure share">{number((100 * count) / all, 1)} %</span></li>
  ));
  return (
    <>
      <div class="cards">
        <div class="card kpi"><h2>{t('crawl.pages')}</h2><p class="big">{number(Math.round(data.pagesPerSecond ?? 0))}</p><Spark values={data.rate ?? []} /></div>
        <div class="card kpi"><h2>{t('crawl.fetchers')}</h2><p class="big">{number(data.fetchesInFlight ?? 0)}</p><p class="sub">{t('crawl.fetchers.of', { n: data.fetchesInFlight ?? 0, of: data.fetchers ?? 0 })}</p></div>
        <div class="card kpi"><h2>{t('crawl.queued')}</h2><p class="big" title={number(data.queued ?? 0)}>{compact(data.queued ?? 0)}</p></div>
        <div class="card kpi"><h2>{t('crawl.known')}</h2><p class="big" title={number(known)}>{compact(known)}</p></div>
        <div class="card kpi"><h2>{t('crawl.fetched')}</h2><p class="big" title={number(data.fetched ?? 0)}>{compact(data.fetched ?? 0)}</p><p class="sub">{data.rankGeneration !== undefined && t('crawl.generation', { n: data.rankGeneration })}</p></div>
        <div class="card kpi"><h2>{t('crawl.disk')}</h2><p class="big">{bytes(data.diskFreeBytes ?? 0)}</p></div>
      </div>
      <div class="grid two">
        <section class="card block"><header><h2>{t('crawl.responses')} <span class="total">{number((100 * answered) / all, 1)} %</span></h2></header><ul class="items">{shares(data.responses)}</ul></section>
        <section class="card block"><header><h2>{t('crawl.failures')} <span class="total">{number((100 * failed) / all, 1)} %</span></h2></header><ul class="items">{shares(data.failures)}</ul></section>
      </div>
    </>
  );
}

function Spark({ values }: { values: number[] }) {
  if (values.length < 2) return null;
  const most = Math.max(...values, 1);
  const points = values.map((value, index) => `${((index * 120) / (values.length - 1)).toFixed(1)},${(26 - (24 * value) / most).toFixed(1)}`).join(' ');
  return <svg class="spark" viewBox="0 0 120 28" preserveAspectRatio="none" role="img" aria-label={t('crawl.sparkline')}><polyline points={points} /></svg>;
}

function Hosts() {
  const q = query.value;
  const order = q.get('order') ?? '-queued';
  const offset = Number(q.get('offset')) || 0;
  const find = q.get('q') ?? '';
  const { data, failure, loading } = useAnswer(path('crawl/hosts', [['order[]', order], ['limit', '25'], ...(offset ? [['offset', String(offset)] as [string, string]] : []), ...(find ? [['q', find] as [string, string]] : [])]), 6000);
  const [open, setOpen] = useState<string | null>(null);
  if (failure?.status === 404) return null;
  const hosts = data?.hosts ?? [];
  const columns: [string, boolean][] = [['host', false], ['queued', true], ['fetched', true], ['budget', true], ['delay', true], ['lastFetch', false], ['state', false]];
  return (
    <section class="card block hosts" aria-busy={loading}>
      <header><h2>{t('crawl.hosts')} {data && <span class="total">{number(data.count ?? hosts.length)}</span>}</h2>
        <input type="search" aria-label={t('crawl.hosts.find')} placeholder={t('crawl.hosts.find')} value={find} onChange={(event) => go(here({ q: event.currentTarget.value.trim() }), true)} /></header>
      {!data ? <Skeleton lines={6} /> : (
        <div class="scroll" tabIndex={0} role="region" aria-label={t('crawl.hosts')}>
          <table class="rows plain">
            <thead><tr><th class="opener"><span class="unseen">{t('crawl.explain')}</span></th>{columns.map(([name, figure]) => <th key={name} scope="col" class={figure ? 'figure' : ''} aria-sort={order.replace('-', '') === name ? (order.startsWith('-') ? 'descending' : 'ascending') : undefined}><a href={here({ order: order === `-${name}` ? name : `-${name}` })}>{t(`field.${name}` as Key)}<span class="arrow" aria-hidden="true">{order === name ? '▲' : order === `-${name}` ? '▼' : ''}</span></a></th>)}</tr></thead>
            <tbody>{hosts.map((host: Record<string, any>) => (
              <Fragment key={host.host}><tr data-row tabIndex={-1}><td class="opener"><button type="button" class="plain" aria-expanded={open === host.host} aria-label={`${t('crawl.explain')}: ${host.host}`} onClick={() => setOpen(open === host.host ? null : host.host)}><Icon name="right" /></button></td><td><a data-main href={href({ url: host.host })}>{host.host}</a></td><td class="figure">{number(host.queued ?? 0)}</td><td class="figure">{number(host.fetched ?? 0)}</td>
                <td class="figure">{host.budget ? <>{number(host.budget)} <Bar share={(100 * (host.fetched ?? 0)) / host.budget} /></> : '–'}</td><td class="figure">{t('crawl.seconds', { n: host.delay ?? 0 })}</td><td>{host.lastFetch ? ago(new Date(host.lastFetch)) : '–'}</td>
                <td>{host.state}{host.reason && <span class="muted"> · {host.reason}</span>}</td></tr>{open === host.host && <tr class="opened"><td colSpan={columns.length + 1}><Host name={host.host} /></td></tr>}</Fragment>
            ))}</tbody>
          </table>
        </div>
      )}
      {data && (data.count ?? 0) > 25 && <p class="foot">{offset > 0 && <a href={here({ offset: Math.max(0, offset - 25) || null })}>{t('pager.before')}</a>} {offset + 25 < data.count! && <a href={here({ offset: offset + 25 })}>{t('pager.after')}</a>}</p>}
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
          <li key={index}><span class="muted mono when">{error.time?.slice(11, 19)}</span><span class="badge warn">{tagName(error.kind ?? '')}</span><span class="grow two"><a href={href({ url: error.url!, view: 'page' })}><Crawled text={error.url} /></a><span class="muted"><Crawled text={error.message} /></span></span></li>
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
  const area = (title: string, lead: string, value: string, set: (text: string) => void) => <label>{title}<textarea rows={2} placeholder={lead} value={value} spellcheck={false} onInput={(event) => set(event.currentTarget.value)} /></label>;
  return (
    <section class="card block levers">
      <header><h2>{t('crawl.seeds')}, {t('crawl.blocks')}</h2></header>
      {area(t('crawl.seeds'), t('crawl.seeds.lead'), seeds, setSeeds)}
      <p><Lever to="crawl/seeds" name={t('crawl.seeds.add')} disabled={!seeds.trim()} body={() => ({ urls: lines(seeds) })} done={() => setSeeds('')} /></p>
      {area(t('crawl.blocks'), t('crawl.blocks.lead'), blocks, setBlocks)}
      <p><Lever to="crawl/blocks" name={t('crawl.blocks.add')} disabled={!blocks.trim()} body={() => ({ add: lines(blocks), remove: [] })} done={() => setBlocks('')} /> <Lever to="crawl/blocks" name={t('crawl.blocks.remove')} disabled={!blocks.trim()} body={() => ({ add: [], remove: lines(blocks) })} done={() => setBlocks('')} /></p>
      {area(t('crawl.recrawl'), t('crawl.recrawl.lead'), again, setAgain)}
      <p><Lever to="crawl/recrawl" name={t('crawl.recrawl')} disabled={!again.trim()} body={() => ({ urls: lines(again) })} done={() => setAgain('')} /></p>
    </section>
  );
}
