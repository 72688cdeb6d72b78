// One list of the API as a view: its filter, facets, table, pages and files.

import { useEffect, useRef } from 'preact/hooks';
import { Param, path, useAnswer } from '../core/api';
import { daysAgo, Key, t } from '../core/i18n';
import { columnsOf, List, LISTS, needsDetails } from '../core/lists';
import { go, grouped, here, query, subject } from '../core/route';
import { Icon } from '../parts/bits';
import { scopeParams } from '../parts/block';
import { Facets, fieldName, Filter } from '../parts/filter';
import { Asked, copy, Corner, curl, defined, Drop, feed, file, FILES } from '../parts/menu';
import { Nothing, Problem, Skeleton, Warnings } from '../parts/states';
import { Pager, presentOrder, shownColumns, Table } from '../parts/table';
import { Choice } from './growth';

/** The request behind a list, in the words of the address. */
export function listParams(list: List, base: Param[]): { params: Param[]; limit: number; offset: number } {
  const q = query.value;
  const limit = Math.max(1, Math.min(1000, Number(q.get('limit')) || 50));
  const offset = Math.max(0, Number(q.get('offset')) || 0);
  const params = [...base];
  const from = q.get('from') ?? (list.dated ? daysAgo(30) : null);
  if (list.dated && from) params.push(['from', from]);
  if (list.dated && q.get('to')) params.push(['to', q.get('to')!]);
  if (list.name === 'backlinks' || list.name === 'newbacklinks') {
    for (const name of ['active', 'group']) if (q.get(name)) params.push([name, q.get(name)!]);
  }
  if (q.get('where')) params.push(['where', q.get('where')!]);
  const order = q.get('order') ?? (list.reordered ? list.order : null);
  if (needsDetails(list, q.get('fields') ?? '', q.get('where') ?? '', order ?? '')) params.push(['details', 'true']);
  for (const field of order?.split(',') ?? []) params.push(['order[]', field]);
  params.push(['limit', String(limit)]);
  if (offset) params.push(['offset', String(offset)]);
  return { params, limit, offset };
}

export function ListView({ name }: { name: string }) {
  return <Listing list={LISTS[name]!} base={scopeParams()} title={t(`nav.${name}` as Key)} />;
}

interface Props {
  list: List;
  base: Param[];
  title: string;
  headings?: Record<string, string>;
  /** Whether the list is the whole view, without a subject above it. */
  top?: boolean;
}

export function Listing({ list, base, title, headings, top }: Props) {
  const { params, limit, offset } = listParams(list, base);
  const where = query.value.get('where') ?? '';
  const answer = useAnswer(path(list.name, params));
  const { data, loading } = answer;
  const failure = answer.failure && !loading ? answer.failure : undefined;
  const aboutFilter = failure?.status === 400 && (failure.parameter === 'where' || /^where/.test(failure.message));
  const rows = data?.response ?? [];
  const columns = shownColumns(list, rows);
  const exported = columns.flatMap((column) => [column.id, ...(column.with ?? [])]).filter((field, at, all) => all.indexOf(field) === at && (!rows.length || field in rows[0]!));
  const asked: Asked = { endpoint: list.name, params, fields: query.value.get('fields') ? exported : undefined };
  const unit = grouped.value ? 'domains' : list.unit;
  const Heading = top ? 'h1' : 'h2';
  const facetFields = (list.facets ?? []).join(',');
  const counted = params.filter(([one]) => !['limit', 'offset', 'order[]'].includes(one));
  const counts = useRef<string | null>(null);
  if (facetFields && data && !loading && !failure) counts.current = path(list.name, [...counted, ['limit', '0'], ['facets', facetFields]]);
  const facets = useAnswer(counts.current);
  useFeedLink(feed(asked), title);
  if (failure?.status === 404) return <Problem failure={failure}><p>{t('state.absent.hint')}</p></Problem>;
  return (
    <section class="list" aria-label={title}>
      <header class="listhead">
        <Heading>{title} <span class="total">{data && t(`count.${unit}` as Key, { n: data.count ?? 0 })}</span></Heading>
        <Options list={list} />
        <span class="tools">
          <Columns list={list} />
          <Files asked={asked} />
          <Corner asked={asked} title={title} />
        </span>
      </header>
      <Filter list={list} failure={aboutFilter ? failure : undefined} />
      {facets.data?.facets ? <Facets list={list} facets={facets.data.facets} others={facets.data.others} /> : facetFields && !facets.data && !answer.failure && <div class={`facets awaited${list.facets!.length > 3 ? ' many' : ''}`} />}
      {data && <Warnings data={data} />}
      {failure && !aboutFilter && ![0, 401, 429, 503].includes(failure.status) && <Problem failure={failure} />}
      {data ? (
        <div class="card tablecard">
          {rows.length ? (
            <Table list={list} columns={columns} rows={rows} stale={loading} offset={offset} caption={`${title}: ${subject.value}`} headings={headings} />
          ) : (
            <Nothing data={data} filtered={!!where && !data.known?.startsWith('un')}>
              {where && <Without list={list} base={base} />}
              {offset > 0 && <p><a href={here({})}>{t('pager.first')}</a></p>}
            </Nothing>
          )}
          <footer class="tablefoot">
            <Pager data={data} limit={limit} offset={offset} />
            <span class="files">
              {FILES.map(([format, name]) => <a key={format} href={file(asked, format)} download>{name()}</a>)}
              <button type="button" class="plain" id="copy-curl" onClick={() => copy(curl(asked))}>curl</button>
              <button type="button" class="plain" onClick={() => (defined.value = list.name)}>{t('menu.about')}</button>
            </span>
          </footer>
          {data.exportFinished === false && <p class="reading" role="status">{t('state.reading')}</p>}
        </div>
      ) : !failure || [0, 401, 429, 503].includes(failure.status) ? <div class="card tablecard"><Skeleton lines={14} class="tall" /></div> : null}
    </section>
  );
}

/** Names the feed of the view in the head of the document, where feed readers look for it. */
function useFeedLink(address: string | null, title: string): void {
  useEffect(() => {
    if (!address) return;
    const link = Object.assign(document.createElement('link'), { rel: 'alternate', type: 'application/atom+xml', title: `${title}: ${subject.value}`, href: address });
    document.head.append(link);
    return () => link.remove();
  }, [address, title]);
}

/** How many rows there are without the filter. */
function Without({ list, base }: { list: List; base: Param[] }) {
  const { params } = listParams(list, base);
  const plain = params.filter(([name]) => !['where', 'limit', 'offset', 'order[]'].includes(name));
  const { data } = useAnswer(path(list.name, [...plain, ['limit', '0']]));
  if (!data) return null;
  return <p>{t('empty.without', { n: data.count ?? 0 })} <a href={here({ where: null })}>{t('filter.clear')}</a></p>;
}

function Options({ list }: { list: List }) {
  const q = query.value;
  return (
    <span class="options">
      {list.name === 'backlinks' && <Choice name="group" value={q.get('group') ?? ''} label={t('option.group')} options={[['', t('option.each')], ['domain', t('option.domain')]]} />}
      {(list.name === 'backlinks' || list.name === 'newbacklinks') && (
        <Choice name="active" value={q.get('active') ?? (list.name === 'backlinks' ? 'true' : 'all')} label={t('option.active')} options={[['true', t('option.true')], ['false', t('option.false')], ['all', t('option.all')]]} />
      )}
      {list.dated && (
        <span class="days">
          {(['from', 'to'] as const).map((name) => (
            <label key={name}>{t(`option.${name}`)} <input type="date" value={(q.get(name) ?? (name === 'from' ? daysAgo(30) : daysAgo(0))).replace(/(....)(..)(..)/, '$1-$2-$3')} onChange={(event) => go(here({ [name]: event.currentTarget.value.replaceAll('-', '') }))} /></label>
          ))}
        </span>
      )}
      <label class="sorter">{t('table.order')} <select value={presentOrder(list)} onChange={(event) => go(here({ order: event.currentTarget.value }))}>
        {columnsOf(list, grouped.value).filter((column) => !column.hidden || presentOrder(list).endsWith(column.id)).flatMap((column) => [`-${column.id}`, column.id]).map((order) => <option key={order} value={order}>{fieldName(order.replace('-', ''))} {order.startsWith('-') ? '▼' : '▲'}</option>)}
      </select></label>
    </span>
  );
}

function Columns({ list }: { list: List }) {
  const columns = columnsOf(list, grouped.value);
  const chosen = query.value.get('fields')?.split(',') ?? columns.filter((column) => !column.hidden).map((column) => column.id);
  const toggle = (id: string) => {
    const next = columns.map((column) => column.id).filter((one) => (one === id ? !chosen.includes(one) : chosen.includes(one)));
    go(here({ fields: next.join(','), offset: query.value.get('offset') }), true);
  };
  return (
    <Drop end label={<><Icon name="columns" /><span class="name">{t('table.columns')}</span></>}>
      <fieldset class="checks">
        <legend class="unseen">{t('table.columns')}</legend>
        {columns.map((column) => (
          <label key={column.id}><input type="checkbox" checked={chosen.includes(column.id)} disabled={chosen.length === 1 && chosen[0] === column.id} onChange={() => toggle(column.id)} /> {fieldName(column.id)}</label>
        ))}
        <a href={here({ fields: null, offset: query.value.get('offset') })}>{t('table.usual')}</a>
      </fieldset>
    </Drop>
  );
}

function Files({ asked }: { asked: Asked }) {
  return (
    <Drop end id="export" label={<><Icon name="down" /><span class="name">{t('file.export')}</span></>}>
      <ul class="menu">
        {FILES.map(([format, name]) => <li key={format}><a href={file(asked, format)} download>{name()}</a></li>)}
        <li class="muted">{t('file.all')}</li>
        {feed(asked) && <li><a href={feed(asked)!} type="application/atom+xml" target="_blank" rel="noopener">{t('menu.feed')}</a></li>}
      </ul>
    </Drop>
  );
}
