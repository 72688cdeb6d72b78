// The one table of the page. The server sorts, filters and pages; the browser holds one page of rows.

import { Fragment } from 'preact';
import { useState } from 'preact/hooks';
import { path, Reply, Row, useAnswer } from '../core/api';
import { number, t } from '../core/i18n';
import { Column, isFigure, List, LISTS } from '../core/lists';
import { grouped, here, query, viewOf } from '../core/route';
import { Icon } from './bits';
import { scopeParams } from './block';
import { cell } from './cells';
import { fieldName } from './filter';
import { Problem, Skeleton } from './states';

export const SIZES = [25, 50, 100, 250];

/** The columns to show: those that the reader chose, else the usual ones that the server has. */
export function shownColumns(list: List, rows: Row[]): Column[] {
  const chosen = query.value.get('fields')?.split(',');
  const known = (column: Column) => rows.length === 0 || rows.some((row) => column.id in row);
  if (chosen) return list.columns.filter((column) => chosen.includes(column.id) && known(column));
  return list.columns.filter((column) => !column.hidden && known(column));
}

/** The first order of a view. */
export function presentOrder(list: List): string {
  return query.value.get('order') ?? list.order;
}

interface Props {
  list: List;
  columns: Column[];
  rows: Row[];
  stale?: boolean;
  offset: number;
  /** Rows within another table are neither sorted nor opened. */
  inner?: boolean;
  caption: string;
  headings?: Record<string, string>;
}

export function Table({ list, columns, rows, stale, offset, inner, caption, headings = {} }: Props) {
  const [open, setOpen] = useState<Record<string, boolean>>({});
  const order = presentOrder(list);
  const opens = !inner && (list.opens || (list.name === 'backlinks' && grouped.value));
  return (
    <div class="scroll" tabIndex={inner ? undefined : 0} role={inner ? undefined : 'region'} aria-label={inner ? undefined : caption}>
      <table role="table" class={`rows ${inner ? 'inner' : ''} ${stale ? 'stale' : ''}`} aria-busy={stale}>
        <caption class="unseen">{caption}</caption>
        <thead role="rowgroup">
          <tr role="row">
            {opens && <th role="columnheader" class="opener"><span class="unseen">{t('table.open')}</span></th>}
            {columns.map((column) => {
              const name = headings[column.id] ?? fieldName(column.id);
              const sorted = order === column.id ? 'ascending' : order === `-${column.id}` ? 'descending' : undefined;
              const next = sorted === 'descending' || (!sorted && !isFigure(column) && column.kind !== 'day') ? column.id : `-${column.id}`;
              return (
                <th key={column.id} role="columnheader" scope="col" class={isFigure(column) ? 'figure' : ''} aria-sort={sorted}>
                  {inner ? name : <a href={here({ order: next })} title={t('table.sort', { name })}>{name}<span class="arrow" aria-hidden="true">{sorted === 'ascending' ? '▲' : sorted ? '▼' : ''}</span></a>}
                </th>
              );
            })}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {rows.map((row, index) => {
            const key = `${offset + index}`;
            const domain = row.domain as string | undefined;
            return (
              <Fragment key={key}>
                <tr role="row" data-row={inner ? undefined : true} tabIndex={inner ? undefined : -1}>
                  {opens && (
                    <td role="cell" class="opener">
                      {domain && <button type="button" class="plain" aria-expanded={!!open[key]} aria-label={t('table.links', { name: domain })} onClick={() => setOpen({ ...open, [key]: !open[key] })}><Icon name="right" /></button>}
                    </td>
                  )}
                  {columns.map((column) => (
                    <td key={column.id} role="cell" class={`c-${column.id} look-${column.look}${isFigure(column) ? ' figure' : ''}${column.line ? ` ${column.line}` : ' small'}`} data-label={headings[column.id] ?? fieldName(column.id)}>
                      {cell(column, row)}
                    </td>
                  ))}
                </tr>
                {open[key] && domain && (
                  <tr role="row" class="opened"><td role="cell" colSpan={columns.length + 1}><LinksOf domain={domain} /></td></tr>
                )}
              </Fragment>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

/** The links of one domain, in place below its row. */
function LinksOf({ domain }: { domain: string }) {
  const where = `domain eq '${domain}'`;
  const links = LISTS.backlinks!;
  const { data, failure } = useAnswer(path('backlinks', [...scopeParams(), ['where', where], ['limit', '10']]));
  if (failure) return <Problem failure={failure} />;
  if (!data) return <Skeleton lines={3} />;
  const rows = data.response ?? [];
  const columns = links.columns.filter((column) => ['sr', 'backlinkpage', 'linktext', 'linktarget', 'insDate', 'updDate'].includes(column.id));
  return (
    <>
      <Table inner list={links} columns={columns} rows={rows} offset={0} caption={t('table.links', { name: domain })} />
      {(data.count ?? 0) > rows.length && <p><a href={viewOf('backlinks', { where })}>{t('table.all', { n: data.count ?? 0 })}</a></p>}
    </>
  );
}

/** From, to and of how many; leads to the pages beside. */
export function Pager({ data, limit, offset, usual = 50 }: { data: Reply; limit: number; offset: number; usual?: number }) {
  const count = data.count ?? 0;
  const rows = data.response?.length ?? 0;
  return (
    <nav class="pager" aria-label={t('pager.label')}>
      <span class="range">{count === 0 ? number(0) : t('pager.range', { from: offset + 1, to: offset + rows, of: count })}</span>
      {offset > 0 ? <a class="step" rel="prev" href={here({ offset: Math.max(0, offset - limit) || null })} aria-label={t('pager.before')}><Icon name="left" /></a> : <span class="step off"><Icon name="left" /></span>}
      {offset + rows < count ? <a class="step" rel="next" href={here({ offset: offset + limit })} aria-label={t('pager.after')}><Icon name="right" /></a> : <span class="step off"><Icon name="right" /></span>}
      <span class="sizes">{SIZES.map((size) => <a key={size} class={size === limit ? 'on' : ''} aria-current={size === limit || undefined} aria-label={t('pager.size', { n: size })} href={here({ limit: size === usual ? null : size })}>{size}</a>)}</span>
    </nav>
  );
}
