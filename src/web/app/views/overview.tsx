// The overview of a domain, host or URL: figures with their differences, growth, and the beginning of every list.

import type { ComponentChildren } from 'preact';
import { useMemo } from 'preact/hooks';
import { get, Reply, Row, path, useAnswer } from '../core/api';
import { country, day, daysAgo, number, t } from '../core/i18n';
import { go, here, href, query, subject, viewOf } from '../core/route';
import { readableHost } from '../core/text';
import { Address, Bar, Crawled, Delta, Domain, Rank, Status } from '../parts/bits';
import { Block, scopeParams } from '../parts/block';
import { tagName } from '../parts/cells';
import { Corner } from '../parts/menu';
import { Nothing, Problem, Skeleton } from '../parts/states';
import { Growth } from './growth';

export function Overview() {
  const since = query.value.get('since') ?? daysAgo(30);
  const params: [string, string][] = [...scopeParams(), ['since', since]];
  const address = path('summary', params);
  // A browser has six connections: the figures are asked for before the blocks below, whose effects run first.
  useMemo(() => void get(address).catch(() => undefined), [address]);
  const { data, failure, loading } = useAnswer(address);
  if (failure && !data && !loading) return <Problem failure={failure} />;
  const nothing = data && data.backlinks === 0 && !data.external && !data.lost;
  return (
    <div class="overview">
      {data?.known === 'unknown' ? null : data ? <Cards data={data} stale={loading} params={params} /> : <Skeleton lines={6} class="cards" />}
      {nothing ? <div class="card"><Nothing data={data}><p><a href={viewOf('outgoinglinks')}>{t('nav.outgoinglinks')}</a> · <a href={viewOf('page')}>{t('nav.page')}</a></p></Nothing></div> : <Blocks />}
    </div>
  );
}

function Cards({ data, stale, params }: { data: Reply; stale: boolean; params: [string, string][] }) {
  const since = data.since;
  const diff = (now: number | null, before: number | null | undefined) => (now === null || now === undefined || before === null || before === undefined ? null : now - before);
  const share = (part: number | null, all: number | null) => (part === null || !all ? '–' : `${number((100 * part) / all, 0)} %`);
  const figure = (value: number | null | undefined) => (value === null || value === undefined ? '…' : number(value));
  const picked = query.value.get('since') ?? '';
  return (
    <section class={`cards${stale ? ' stale' : ''}`} aria-label={t('cards.title')}>
      <div class="card kpi"><h2>{t('field.sr')}</h2><p class="big">{data.sr === null ? '…' : number(data.sr, 2)}</p><span class="meter wide" aria-hidden="true"><span style={{ inlineSize: `${(data.sr ?? 0) * 10}%` }} /></span><p class="sub">{t('cards.rank')}</p>{data.firstSeen ? <p class="sub">{t('cards.first', { day: day(data.firstSeen) })}</p> : null}</div>
      <div class="card kpi"><h2><a href={viewOf('referringdomains')}>{t('nav.referringdomains')}</a></h2><p class="big">{figure(data.refdoms)}</p><Delta value={diff(data.refdoms, since?.refdoms)} />
        <p class="sub">{since && <><a href={viewOf('newdomains', { from: next(since.date) })}>{t('cards.new', { n: since.newRefdoms ?? 0 })}</a> · <a href={viewOf('lostdomains', { from: next(since.date) })}>{t('cards.lost', { n: since.lostRefdoms ?? 0 })}</a></>}</p></div>
      <div class="card kpi"><h2><a href={viewOf('backlinks')}>{t('nav.backlinks')}</a></h2><p class="big">{figure(data.backlinks)}</p><Delta value={diff(data.backlinks, since?.backlinks)} />
        {since && <Changed name="newbacklinks" since={since.date} all={t('cards.returned', { n: since.newBacklinks ?? 0 })} listed="cards.firstSeen" />}
        {since && <Changed name="lostbacklinks" since={since.date} all={t('cards.lost', { n: since.lostBacklinks ?? 0 })} listed="cards.stillLost" />}</div>
      <div class="card kpi"><h2><a href={viewOf('backlinks', { where: 'nofollow eq false' })}>{t('cards.followed')}</a></h2><p class="big">{share(data.followed, data.backlinks)}</p><Split part={data.followed} all={data.backlinks} />
        <p class="sub">{t('cards.ofLinks', { n: data.followed ?? 0, of: data.backlinks ?? 0 })}</p><p class="sub">{t('cards.images', { share: share(data.image, data.backlinks) })}</p></div>
      <div class="card kpi"><h2><a href={viewOf('iplist')}>{t('cards.ips')}</a></h2><p class="big">{figure(data.ips)}</p><p class="sub">{t('cards.nets', { n: data.net24 ?? 0 })}</p><p class="sub"><a href={viewOf('geolocationshort')}>{t('count.countries', { n: data.countries ?? 0 })}</a></p>
        {data.edu?.refdoms || data.gov?.refdoms ? <p class="sub">{t('cards.edugov', { edu: data.edu?.refdoms ?? 0, gov: data.gov?.refdoms ?? 0 })}</p> : null}</div>
      <div class="card kpi"><h2><a href={viewOf('httpstatus')}>{t('cards.own')}</a></h2><p class="big">{figure(data.pages)}</p><p class="sub"><a href={viewOf('outgoinglinks')}>{t('cards.external', { n: data.external ?? 0 })}</a></p><p class="sub">{t('cards.internal', { n: data.internal ?? 0 })}</p></div>
      <div class="cards-foot">
        <label>{t('cards.since')} <input type="date" value={(picked || since?.date || daysAgo(30)).replace(/(....)(..)(..)/, '$1-$2-$3')} onChange={(event) => go(here({ since: event.currentTarget.value.replaceAll('-', '') }))} /></label>
        {data.exportFinished === false && <span class="reading" role="status">{t('state.reading')}</span>}
        <Corner title={t('cards.title')} asked={{ endpoint: 'summary', params, rows: false }} />
      </div>
    </section>
  );
}

/** How many links changed, and how many of them the list of such links has. A link that returned is not first seen, and is
 *  not lost any more. */
function Changed({ name, since, all, listed }: { name: string; since: string; all: string; listed: 'cards.firstSeen' | 'cards.stillLost' }) {
  const { data } = useAnswer(path(name, [...scopeParams(), ['from', next(since)], ['limit', '0']]));
  return <p class="sub">{all} <a class="of" href={viewOf(name, { from: next(since) })}>{t(listed, { n: data?.count ?? '…' })}</a></p>;
}

/** The day after one: what changed after a day is what is listed from the next one on. */
function next(date: string): string {
  const time = Date.UTC(+date.slice(0, 4), +date.slice(4, 6) - 1, +date.slice(6, 8) + 1);
  return new Date(time).toISOString().slice(0, 10).replaceAll('-', '');
}

function Split({ part, all }: { part: number | null; all: number | null }) {
  return <span class="meter wide" aria-hidden="true"><span style={{ inlineSize: all ? `${(100 * (part ?? 0)) / all}%` : '0' }} /></span>;
}

function Blocks() {
  const week = daysAgo(7);
  return (
    <>
      <div class="grid lead">
        <Growth />
        <Block title={t('block.domains')} endpoint="referringdomains" to={viewOf('referringdomains', { order: '-sr' })} params={[['order[]', '-sr'], ['limit', '9']]} lines={9} class="tall">
          {rows((row) => <><Domain name={row.domain} /><span class="figure muted">{t('count.links', { n: row.links })}</span><Rank value={row.sr} /></>)}
        </Block>
      </div>
      <div class="grid">
        <Block title={t('nav.linktexts')} endpoint="linktexts" to={viewOf('linktexts')} params={[['limit', '7']]} lines={7}>
          {rows((row) => <><a class="grow" href={viewOf('backlinks', { where: `linktext eq '${String(row.anchortext).replaceAll("'", "''")}'` })}><Crawled text={row.anchortext} /></a><span class="figure muted">{t('count.domains', { n: row.refdoms })}</span><Share value={row.percentage} /></>)}
        </Block>
        <Block title={t('block.ranks')} endpoint="srspread" params={[['showgroup', 'true']]} rows={false} lines={6}>
          {(data) => spread(data)}
        </Block>
        <Block title={t('nav.bestpages')} endpoint="bestpages" to={viewOf('bestpages')} params={[['limit', '7']]} lines={7}>
          {rows((row) => <><a class="grow" href={href({ url: row.page, view: 'page' })}><Address tail address={row.page} /></a><span class="figure">{t('count.domains', { n: row.refdoms })}</span><Status code={row.code} /></>)}
        </Block>
        <Block title={t('nav.geolocationshort')} endpoint="geolocationshort" to={viewOf('geolocationshort')} params={[['limit', '6']]}>
          {rows((row) => <><a class="grow" href={viewOf('backlinks', { where: `ccode eq '${row.ccode}'` })}>{row.ccode ? country(row.ccode, row.country) : t('place.unknown')}</a><span class="figure">{number(row.links)}</span><Share value={row.percentage} /></>)}
        </Block>
        <Block title={t('nav.tldlist')} endpoint="tldlist" to={viewOf('tldlist')} params={[['limit', '6']]}>
          {rows((row) => <><span class="grow mono">{row.toplevel ? `.${readableHost(row.toplevel)}` : t('tld.none')}</span><span class="figure muted">{t('count.domains', { n: row.diffdomains })}</span><Share value={row.percentage} /></>)}
        </Block>
        <Block title={t('block.tags')} endpoint="tagtypes" to={viewOf('tagtypes')} params={[['order[]', '-frequency']]}>
          {(data) => {
            const kinds = data.response ?? [];
            const all = kinds.reduce((sum, row) => sum + row.frequency, 0);
            return rows((row) => <><a class="grow" href={viewOf('backlinks', { where: `tag eq '${row.tag}'` })}>{tagName(row.tag)}</a><span class="figure">{number(row.frequency)}</span><Share value={(100 * row.frequency) / all} /></>)({ ...data, response: kinds.slice(0, 6) });
          }}
        </Block>
        <Block title={t('block.week')} endpoint="newbacklinks" to={viewOf('newbacklinks', { from: week })} params={[['from', week], ['limit', '5']]} lines={5}>
          {links}
        </Block>
        <Block title={t('block.lost')} endpoint="lostbacklinks" to={viewOf('lostbacklinks', { from: daysAgo(30) })} params={[['from', daysAgo(30)], ['limit', '5']]} lines={5}>
          {links}
        </Block>
        <Block title={t('nav.brokenbacklinks')} endpoint="brokenbacklinks" to={viewOf('brokenbacklinks')} params={[['limit', '5']]} lines={5}>
          {rows((row) => <><a class="grow" href={href({ url: row.linktarget, view: 'page' })}><Address tail address={row.linktarget} /></a><Status code={row.code} failure={row.failure} /></>, (data) => t('count.links', { n: data.count ?? 0 }))}
        </Block>
        <Block title={t('nav.competitors')} endpoint="competitors" to={viewOf('competitors')} params={[['limit', '6']]}>
          {rows((row) => <><Domain name={row.domain} /><span class="figure muted">{t('block.common', { n: row.common })}</span><Rank value={row.sr} /></>)}
        </Block>
        <Block title={t('nav.outgoinghosts')} endpoint="outgoinghosts" to={viewOf('outgoinghosts')} params={[['limit', '6']]}>
          {rows((row) => <><Domain name={row.host} /><span class="figure">{t('count.links', { n: row.frequency })}</span></>)}
        </Block>
        <Block title={t('nav.httpstatus')} endpoint="httpstatus" to={viewOf('httpstatus')} params={[['limit', '6']]}>
          {rows((row) => <><Status code={row.code} /><span class="grow" /><span class="figure">{t('count.urls', { n: row.pages })}</span><Share value={row.percentage} /></>)}
        </Block>
      </div>
    </>
  );
}

function Share({ value }: { value: number }) {
  return <><span class="back" aria-hidden="true" style={{ inlineSize: `${Math.min(100, value)}%` }} /><span class="figure share">{number(value, value < 10 ? 1 : 0)} %</span></>;
}

const rows = (item: (row: Row) => ComponentChildren, lead?: (data: Reply) => string) => (data: Reply) =>
  data.response?.length ? (
    <>
      {lead && <p class="count">{lead(data)}</p>}
      <ul class="items">{data.response.map((row, index) => <li key={index}>{item(row)}</li>)}</ul>
    </>
  ) : null;

const links = rows(
  (row) => (
    <>
      <span class="grow two"><a href={href({ url: row.backlinkpage, view: 'page' })}><Crawled text={row.title || row.backlinkpage} /></a><span class="muted"><Crawled text={row.linktext} /> → <Address address={row.linktarget} /></span></span>
      <Rank value={row.sr} />
    </>
  ),
  (data) => t('count.links', { n: data.count ?? 0 }),
);

function spread(data: Reply) {
  const bins = (data.response ?? []).map((row) => ({ name: String(row.sr), links: Number(row.links) }));
  const all = bins.reduce((sum, bin) => sum + bin.links, 0);
  if (!all) return null;
  return <ul class="items">{bins.map((bin) => <li key={bin.name}><span class="mono bin">{bin.name}</span><span class="grow"><Bar share={(100 * bin.links) / all} /></span><span class="figure">{number(bin.links)}</span></li>)}</ul>;
}
