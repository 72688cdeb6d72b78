// One page: how it answered, where it leads on to, the links on it in the order of the document, and the links to it.

import { path, Row, useAnswer } from '../core/api';
import { country, day, Key, number, t } from '../core/i18n';
import { href, subject } from '../core/route';
import { Address, Badge, Crawled, Out, Rank, Status } from '../parts/bits';
import { Block } from '../parts/block';
import { tagName } from '../parts/cells';
import { Explained, Facts } from '../parts/explained';
import { Corner } from '../parts/menu';
import { Problem, Skeleton } from '../parts/states';

const MOST_LINKS = 500;

export function Page() {
  const isUrl = /^(https?:\/\/)?[^/]+\//i.test(subject.value);
  return isUrl ? <OnePage /> : <Choose />;
}

function Choose() {
  return (
    <>
      <p class="hint muted">{t('page.choose')}</p>
      <Block title={t('nav.bestpages')} endpoint="bestpages" params={[['limit', '25']]} lines={12}>
        {(data) => data.response?.length ? (
          <ul class="items">{data.response.map((row) => (
            <li key={row.page} data-row tabIndex={-1}><a class="grow" data-main href={href({ url: row.page, view: 'page' })}><Address address={row.page} tail /></a><span class="figure">{t('count.domains', { n: row.refdoms })}</span><Rank value={row.sr} /><Status code={row.code} /></li>
          ))}</ul>
        ) : null}
      </Block>
    </>
  );
}

function OnePage() {
  const params: [string, string][] = [['url', subject.value], ['scope', 'url']];
  const asked = { endpoint: 'exportpages', params: [...params, ['limit', '2'] as [string, string]], rows: false };
  const { data, failure, loading } = useAnswer(path('exportpages', asked.params));
  if (failure && !loading && ![0, 401, 429, 503].includes(failure.status)) return <Problem failure={failure} />;
  return (
    <div class="onepage">
      <section class="card block">
        <header><h2>{t('nav.page')}</h2><Corner title={t('nav.page')} asked={asked} /></header>
        {!data ? <Skeleton lines={7} /> : data.response?.length ? data.response.map((page) => <Info key={page.info.url} info={page.info} />) : <p class="nothing">{t('page.absent')}</p>}
        <Explained url={subject.value} />
      </section>
      <Chain />
      <div class="grid two">
        {data?.response?.[0] && <Links page={data.response[0]} />}
        <Block title={t('page.in')} endpoint="backlinks" to={href({ url: subject.value, scope: 'url', view: 'backlinks' })} params={[['scope', 'url'], ['limit', '12']]} lines={8}>
          {(answer) => answer.response?.length ? (
            <><p class="count">{t('count.links', { n: answer.count ?? 0 })}</p>
            <ul class="items">{answer.response.map((row, index) => (
              <li key={index}><span class="grow two"><a href={href({ url: row.backlinkpage, view: 'page' })}><Crawled text={row.title || row.backlinkpage} /></a><span class="muted"><Crawled text={row.linktext} /> · <Address address={row.backlinkpage} /></span></span>{row.nofollow && <Badge kind="warn">{t('tag.nofollow')}</Badge>}<Rank value={row.sr} /></li>
            ))}</ul></>
          ) : null}
        </Block>
      </div>
    </div>
  );
}

function Info({ info }: { info: Row }) {
  return <Facts facts={[
    ['URL', <span class="url"><Address address={info.url} full /><Out address={info.url} /></span>, 'whole'],
    [t('page.status'), <Status code={info['http-code']} />],
    [t('page.title'), <Crawled text={info.title} />],
    [t('page.description'), info.description && <Crawled text={info.description} />],
    [t('field.sr'), <Rank value={info.sr} />],
    [t('page.canonical'), info.canonical && <a href={href({ url: info.canonical, view: 'page' })}><Address address={info.canonical} full /></a>],
    [t('page.robots'), info.robots],
    [t('page.server'), <>{<span class="mono">{info.ip}</span>} {info.ccode && country(info.ccode)}</>],
    [t('page.type'), [info['content-type'], info.charset].filter(Boolean).join(', ')],
    [t('page.first'), day(info.insDate)],
    [t('page.cut'), info.cut && tagName(info.cut)],
    ['TLS', info.tls],
  ]} />;
}

function Chain() {
  const { data } = useAnswer(path('redirectchain', [['url', subject.value]]));
  const rows = data?.response ?? [];
  if (rows.length < 2) return null;
  return (
    <section class="card block">
      <header><h2>{t('page.chain')}</h2></header>
      <ol class="chain">
        {rows.map((row, index) => (
          <li key={index}><Status code={row.code} /> <a href={href({ url: row.url, view: 'page' })}><Address address={row.url} full /></a>{row.tag && <Badge>{row.tag}</Badge>}{row.end && <Badge kind={row.end === 'reached' ? '' : 'warn'}>{t(`page.${row.end}` as Key)}</Badge>}</li>
        ))}
      </ol>
    </section>
  );
}

function Links({ page }: { page: Row }) {
  const links: (Row & { external: boolean })[] = [...(page.extL ?? []).map((link: Row) => ({ ...link, external: true })), ...(page.intL ?? []).map((link: Row) => ({ ...link, external: false }))].sort((a, b) => a.pos - b.pos);
  return (
    <section class="card block">
      <header><h2>{t('page.links')} <span class="total">{number(links.length)}</span></h2></header>
      {links.length ? (
        <ol class="items">
          {links.slice(0, MOST_LINKS).map((link) => (
            <li key={link.pos}><span class="muted pos">{link.pos}</span><span class="grow two"><a href={href({ url: link.url, view: 'page' })}><Address tail address={link.url} /></a><span class="muted"><Crawled text={link.anchor} /></span></span>
              {link.tag !== 'a' && <Badge>{tagName(link.tag)}</Badge>}{link.nofollow && <Badge kind="warn">{t('tag.nofollow')}</Badge>}<Badge kind={link.external ? 'ext' : ''}>{t(link.external ? 'page.external' : 'page.internal')}</Badge></li>
          ))}
        </ol>
      ) : <p class="muted nothing">{t('page.nolinks')}</p>}
    </section>
  );
}
