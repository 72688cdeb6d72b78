// The cells of a table, by what a column shows.

import type { VNode } from 'preact';
import type { Row } from '../core/api';
import { ago, country, day, has, number, t, toDate } from '../core/i18n';
import type { Column } from '../core/lists';
import { href } from '../core/route';
import { readableHost, visible } from '../core/text';
import { Address, Badge, Bar, Crawled, Domain, Out, Rank, Status } from './bits';

export function cell(column: Column, row: Row): VNode | string | null {
  const value = row[column.id];
  if (value === undefined) return null;
  switch (column.look) {
    case 'rank':
      return <Rank value={value} />;
    case 'number':
      return number(value);
    case 'percent':
      return column.id === 'jaccard' ? <Percent value={value * 100} /> : <Percent value={value} />;
    case 'share':
      return row.links ? <>{number(value)} <span class="muted">{number((100 * value) / row.links)} %</span></> : number(value);
    case 'day':
      return day(value);
    case 'flag':
      return value ? t('yes') : t('no');
    case 'page':
      return <Page row={row} address={value} />;
    case 'target':
      return <span class="url"><a href={href({ url: value, view: 'page' })} data-main={column.line === 'first' || undefined}><Address tail address={value} /></a><Out address={value} /></span>;
    case 'anchor':
      return <Anchor row={row} />;
    case 'domain':
      return <Domain name={value} />;
    case 'host':
      return <Domain name={value} />;
    case 'country':
      return value ? <span title={country(value, row.country)}><span class="code">{value}</span> <span class="wide">{country(value, row.country)}</span></span> : <span class="muted">{t('place.unknown')}</span>;
    case 'address':
      return <span class="mono">{value}{row.ip_count_additional ? <span class="muted"> +{row.ip_count_additional}</span> : null}</span>;
    case 'status':
      return <Status code={value} failure={row.failure} />;
    case 'seen':
      return <Seen row={row} value={value} />;
    case 'tag':
      return value === '' ? null : <Badge>{tagName(String(value))}</Badge>;
    case 'tld':
      return value ? <span class="mono" title={value}>.{readableHost(String(value))}</span> : <span class="muted">{t('tld.none')}</span>;
    default:
      return <Crawled text={value} />;
  }
}

/** The name of a tag, a reason or a type, if there is one; else the value itself. */
export function tagName(value: string): string {
  const key = `tag.${value}`;
  return has(key) ? t(key) : visible(value);
}

function Percent({ value }: { value: number }) {
  return <span class="percent"><Bar share={value} />{number(value, value < 10 ? 1 : 0)} %</span>;
}

function Page({ row, address }: { row: Row; address: string }) {
  const title = visible(row.title).trim();
  return (
    <span class="page">
      {title && <a class="title" data-main href={href({ url: address, view: 'page' })}><bdi dir="auto">{title}</bdi></a>}
      <span class="url">
        <a class={title ? 'quiet' : ''} data-main={title ? undefined : true} href={href({ url: address, view: 'page' })} tabIndex={title ? -1 : undefined}><Address address={address} /></a>
        <Out address={address} />
      </span>
    </span>
  );
}

function Anchor({ row }: { row: Row }) {
  const kinds = [row.tag && row.tag !== 'a' ? tagName(row.tag) : '', row.ugc ? 'ugc' : '', row.sponsored ? t('tag.sponsored') : ''].filter(Boolean);
  return (
    <span class="anchor">
      <Crawled text={row.linktext} />
      <span class="kinds">
        {row.nofollow ? <Badge kind="warn">{t('tag.nofollow')}</Badge> : null}
        {kinds.map((kind) => <Badge key={kind}>{kind}</Badge>)}
      </span>
    </span>
  );
}

function Seen({ row, value }: { row: Row; value: string }) {
  const seen = row.confirmed || value;
  const days = (Date.now() - toDate(seen).getTime()) / 86_400_000;
  return (
    <span title={day(seen)}>
      {row.active === false ? <Badge kind="bad">{t('tag.lost')}</Badge> : days < 2 ? t(days < 1 ? 'day.today' : 'day.yesterday') : ago(toDate(seen))}
      {row.doubt ? <> <Badge kind="warn">{tagName(row.doubt)}</Badge></> : null}
    </span>
  );
}
